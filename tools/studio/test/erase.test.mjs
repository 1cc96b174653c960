// Check 27: persons who are erased, and the ids of a person.
import assert from 'node:assert/strict'
import test from 'node:test'
import { accessible, api, control, eventually, keys, session, studio } from './browser.mjs'

const buy = (user) => ({ user, event: 'purchase', properties: { cds: 1, amount: 5 } })
const erasures = async () => (await (await api('/erasures?limit=1000')).json()).erasures

test('27.1 a person is erased once their id is typed, and the list of erasures names no id', async () => {
  await control({ ingest: [buy('to erase')] })
  const before = (await erasures()).length
  const b = await session(keys.ops, '/user?id=to+erase')
  await b.page.getByRole('button', { name: 'Erase' }).click()
  const dialog = b.page.getByRole('dialog')
  await accessible(b.page, 'the dialog of an erasure')
  const confirm = dialog.getByRole('button', { name: 'Erase' })
  await dialog.getByLabel(/Type/).fill('to eras')
  assert.equal(await confirm.isDisabled(), true)
  await dialog.getByRole('button', { name: 'Cancel' }).click()
  assert.equal((await api('/users/to erase')).status, 200)
  await b.page.getByRole('button', { name: 'Erase' }).click()
  await dialog.getByLabel('Ticket').fill('GDPR-17')
  await dialog.getByLabel(/Drop events/).check()
  await dialog.getByLabel(/Type/).fill('to erase')
  await confirm.click()
  await b.page.getByRole('status').filter({ hasText: 'The person was erased.' }).waitFor()
  assert.equal((await api('/users/to erase')).status, 404)
  const row = b.page.getByRole('region', { name: 'Table of erasures' }).locator('tbody tr').first()
  assert.match(await row.textContent(), /ops.*GDPR-17.*dropped.*complete/s)
  assert.ok(!(await b.page.locator('main').textContent()).includes('to erase'))
  const all = await erasures()
  assert.equal(all.length, before + 1)
  assert.deepEqual([all[0].by, all[0].ticket, all[0].suppressed], ['ops', 'GDPR-17', true])
  const { entries } = await (await api('/audit?action=eraseUser&limit=1')).json()
  assert.deepEqual([entries[0].by, entries[0].userId ?? ''], ['ops', ''])
  await control({ ingest: [buy('to erase')] })
  assert.equal((await api('/users/to erase')).status, 404)
  await b.close()
})

test('27.2 many persons are erased by a job whose progress is shown, once their number is typed', async () => {
  const ids = ['erased 1', 'erased 2', 'erased 3']
  await control({ ingest: ids.map(buy) })
  const b = await session(keys.ops, '/erasures')
  await b.page.getByRole('button', { name: 'Erase persons' }).click()
  await accessible(b.page, 'the dialog of many erasures')
  await b.page.getByRole('dialog').getByLabel('User ids').fill([...ids, ids[0], 'of no user'].join('\n'))
  await b.page.getByRole('dialog').getByRole('button', { name: 'Check' }).click()
  await b.page.getByRole('heading', { name: 'Erase 4 persons?' }).waitFor()
  await accessible(b.page, 'the confirmation of many erasures')
  for (const id of ids) {
    assert.equal((await api(`/users/${id}`)).status, 200)
  }
  const confirm = b.page.getByRole('button', { name: 'Erase', exact: true })
  assert.equal(await confirm.isDisabled(), true)
  await b.page.getByLabel('Type erase 4 to confirm').fill('erase 4')
  await confirm.click()
  await b.page.waitForURL(/erasures\?.*job=\d+/)
  await b.page.locator('#result').getByText('3 of 4 ids led to a person, who was erased').waitFor()
  for (const id of ids) {
    assert.equal((await api(`/users/${id}`)).status, 404)
  }
  await b.close()
})

test('27.3 a reader sees the list and no button, and the server refuses a reader', async () => {
  const b = await session(keys.board, '/erasures')
  await b.page.getByRole('heading', { name: 'Erasures' }).waitFor()
  assert.equal(await b.page.locator('main [data-opens], main form[method=post]').count(), 0)
  const cookie = (await b.context.cookies()).map((c) => `${c.name}=${c.value}`).join('; ')
  for (const path of ['/user/erase', '/erasures', '/erasures/confirm']) {
    const answer = await fetch(studio + path, { method: 'POST', headers: { Cookie: cookie, 'Sec-Fetch-Site': 'same-origin' } })
    assert.equal(answer.status, 403, path)
  }
  await b.close()
})

test('27.4 the page of a user lists the ids of the person by their kinds, and a visitor has a readable name', async () => {
  const send = (body) => api('/identify', keys.web, { method: 'POST', body: JSON.stringify(body) })
  assert.equal((await send({ userId: 'many ids', anonymousId: 'device-1', traits: {} })).status, 200)
  assert.equal((await send({ anonymousId: 'device-2', traits: { plan: 'basic' } })).status, 200)
  await control({ ingest: [buy('once another')], merge: ['once another', 'many ids'] })
  const b = await session(keys.board, '/user?id=many+ids')
  const rows = b.page.getByRole('region', { name: 'Ids of the user' }).locator('tbody tr')
  const shown = () => rows.evaluateAll((all) => all.map((row) => [...row.cells].map((cell) => cell.textContent.trim()).join(' ')))
  const all = await eventually('the ids are shown', async () => (await shown()).length >= 3 && (await shown()))
  assert.match(all[0], /^user many ids .*the user goes by it$/)
  assert.ok(all.some((text) => /^anonymous device-1 /.test(text)), all.join('\n'))
  assert.ok(all.some((text) => /^user once another .* a user who was merged$/.test(text)), all.join('\n'))
  const { userId, ids } = await (await api('/users/device-2/ids?by=anonymous')).json()
  assert.deepEqual([userId, ids[0].kind, ids[0].value], [undefined, 'anonymous', 'device-2'])
  await b.page.goto(`${studio}/user?id=${encodeURIComponent('\u0001anonymous\u0001device-2')}`) // as pages link to a visitor
  await b.page.getByRole('heading', { name: 'anonymous device-2' }).waitFor()
  await rows.filter({ hasText: 'device-2' }).waitFor()
  await b.close()
})
