// Check 26: users who are merged.
import assert from 'node:assert/strict'
import test from 'node:test'
import { accessible, api, control, keys, session, studio } from './browser.mjs'

const buy = (user, traits) => ({ user, event: 'purchase', properties: { cds: 1, amount: 5 }, traits })

test('26 the id of a user who was merged leads to the page of the survivor', async () => {
  await control({ ingest: [buy('old name'), buy('survivor')], merge: ['old name', 'survivor'] })
  const b = await session(keys.board, '/user?id=old+name')
  await b.page.waitForURL(/user\?id=survivor/)
  await b.page.getByRole('heading', { name: 'survivor' }).waitFor()
  await b.page.getByRole('status').filter({ hasText: 'old name is another id of this user' }).waitFor()
  await accessible(b.page, 'the page of a survivor')
  await b.page.goto(`${studio}/user?id=survivor&was=nonsense`)
  await b.page.locator('#now').waitFor()
  assert.ok(!(await b.page.content()).includes('nonsense is another id'))
  await b.close()
})

test('26.2 a merge is previewed, changes nothing until the id is typed, and comes to what was previewed', async () => {
  await control({ ingest: [buy('visitor', { plan: 'plus' }), buy('signed up', { plan: 'basic', newsletter: true })] })
  const before = [await (await api('/users/visitor')).json(), await (await api('/users/signed up')).json()]
  const b = await session(keys.ops, '/user?id=visitor')
  await b.page.getByRole('button', { name: 'Merge' }).click()
  await b.page.getByRole('dialog').getByLabel('Id of the user who stays').fill('signed up')
  await accessible(b.page, 'the dialog of a merge')
  await b.page.getByRole('dialog').getByRole('button', { name: 'Preview' }).click()
  await b.page.getByRole('heading', { name: 'Merge visitor into signed up' }).waitFor()
  await accessible(b.page, 'the preview of a merge')
  const stays = b.page.getByRole('region', { name: 'Buckets of the merged user' }).locator('tbody tr')
  assert.match(await stays.filter({ hasText: 'Repeat buyers' }).textContent(), /enters/)
  const plan = b.page.getByRole('region', { name: 'Properties of the merged user' }).locator('tbody tr').filter({ hasText: 'plan' })
  const [, winner] = (await plan.locator('td').allTextContents()).map((text) => text.trim())
  assert.deepEqual([await (await api('/users/visitor')).json(), await (await api('/users/signed up')).json()], before)

  const value = (await plan.locator('td').first().textContent()).trim()
  const confirm = b.page.getByRole('button', { name: 'Merge', exact: true })
  assert.ok(await confirm.isDisabled())
  await b.page.getByLabel('Type visitor to confirm').fill('visitor')
  await confirm.click()
  await b.page.getByRole('status').filter({ hasText: 'The users were merged.' }).waitFor()
  await b.page.locator('#now').getByText('Repeat buyers').waitFor()
  const after = await (await api('/users/visitor')).json()
  assert.equal(after.userId, 'signed up')
  assert.deepEqual(after.merged, ['visitor'])
  const chosen = { visitor: before[0], 'signed up': before[1] }[winner].traits.find((t) => t.name === 'plan').value
  assert.equal(after.traits.find((t) => t.name === 'plan').value, chosen)
  assert.ok(value.includes(chosen))
  await b.close()
})
