// Checks 22 to 27: the page of a user.
import assert from 'node:assert/strict'
import test from 'node:test'
import { api, control, eventually, keys, session, studio } from './browser.mjs'

test('22 Ctrl-K opens a user and a bucket by keys alone', async () => {
  const b = await session(keys.board)
  await control({ ingest: [{ user: 'ada', event: 'purchase', properties: { cds: 1, amount: 20 }, traits: { email: 'ada@example.com', plan: 'plus' } }] })
  await b.page.keyboard.press('Control+k')
  await b.page.keyboard.type('ada')
  await b.page.locator('#palette').getByRole('option', { name: /ada/ }).first().waitFor()
  await b.page.keyboard.press('Enter')
  await b.page.waitForURL(/user\?id=ada/)
  await b.page.getByRole('heading', { name: 'ada', exact: false }).first().waitFor()
  await b.page.keyboard.press('Control+k')
  await b.page.keyboard.type('lapsed')
  await b.page.locator('#palette').getByRole('option', { name: /Lapsed/ }).waitFor()
  await b.page.keyboard.press('Enter')
  await b.page.waitForURL(/buckets\/lapsed/)
  await b.page.keyboard.press('Control+k')
  await b.page.getByRole('dialog').waitFor()
  await b.page.keyboard.press('Escape')
  await b.page.getByRole('dialog').waitFor({ state: 'hidden' })
  await b.close()
})

test('23 the explanation changes with an event', async () => {
  const b = await session(keys.board, '/user?id=grace&why=power-buyers')
  b.expect('404')
  const buy = { user: 'grace', event: 'purchase', properties: { cds: 1, amount: 5 } }
  await control({ ingest: [buy, buy] })
  await b.page.goto(`${studio}/user?id=grace&why=power-buyers`)
  await b.page.getByText('Not in Power buyers').waitFor()
  const got = await (await api('/buckets/power-buyers/members/grace/explain')).json()
  await b.page.getByText(got.criteria.words).first().waitFor()
  await control({ ingest: [buy] })
  await eventually('the bucket appears among those of the user', () => b.page.locator('#now').getByText('Power buyers').count())
  await b.page.reload()
  await b.page.locator('.verdict').getByText('In Power buyers').waitFor()
  await b.close()
})

test('24 the slider moves by arrow keys over what will happen, and that happens', async () => {
  const user = 'forecast'
  await control({ ingest: Array.from({ length: 3 }, () => ({ user, event: 'purchase', properties: { cds: 1, amount: 40 } })) })
  const b = await session(keys.board, `/user?id=${user}`)
  const got = await (await api(`/users/${user}/forecast?ticks=true`)).json()
  const slider = b.page.getByRole('slider', { name: 'Instant' })
  await slider.waitFor()
  const shown = () => b.page.locator('[data-stop]:visible').getAttribute('data-stop')
  const first = await shown()
  assert.match(first, new RegExp(got.transitions[0].bucketName))
  await slider.focus()
  const stops = await b.page.locator('[data-stop]').count()
  for (let i = 1; i < stops; i++) {
    await b.page.keyboard.press('ArrowRight')
    assert.equal(await slider.getAttribute('aria-valuetext'), await shown())
  }
  await b.page.keyboard.press('Home')
  assert.equal(await shown(), first)
  await b.page.getByRole('button', { name: 'Play' }).click()
  await eventually('the last instant is shown', async () => (await slider.inputValue()) === String(stops - 1))
  await b.close() // its session ends with the time that passes
  const wait = Date.parse(got.transitions[0].at) - Date.parse(got.at) + 1000
  await control({ advance: `${wait}ms` })
  const timeline = await (await api(`/users/${user}/timeline?limit=1000`)).json()
  const last = timeline.transitions.filter((t) => t.bucketId === got.transitions[0].bucketId).at(-1)
  assert.deepEqual([last.transition, last.at], [got.transitions[0].transition, got.transitions[0].at])
})

test('24.1 an imagined event changes the forecast, and nothing else', async () => {
  await control({ ingest: [{ user: 'dreamer', event: 'purchase', properties: { cds: 1, amount: 4 } }] })
  const b = await session(keys.board, '/user?id=dreamer')
  await b.page.getByText('What if an event arrives now?').click()
  await b.page.getByLabel('Event', { exact: true }).fill('purchase')
  await b.page.getByRole('textbox', { name: 'Properties', exact: true }).fill('{"amount": 500}')
  await b.page.getByRole('button', { name: 'Imagine' }).click()
  await b.page.waitForURL(/event=purchase/)
  await b.page.locator('#forecast').getByText('Big spenders').first().waitFor({ state: 'attached' })
  assert.equal(await b.page.locator('#now').getByText('Big spenders').count(), 0)
  const now = await (await api('/users/dreamer/buckets')).json()
  assert.ok(!now.buckets.some((x) => x.bucketId === 'big-spenders'))
  await b.close()
})

test('25 users whose ids are dots or have slashes have pages', async () => {
  const b = await session(keys.board)
  for (const id of ['..', 'a/b']) {
    await b.page.keyboard.press('Control+k')
    await b.page.locator('#palette input').fill(id)
    await b.page.getByRole('option', { name: 'open the user' }).waitFor()
    await b.page.getByRole('option', { name: 'open the user' }).click()
    await b.page.waitForURL(/user\?id=/)
    assert.equal((await b.page.locator('main h1').textContent()).trim().split(/\s/)[0], id)
    await b.page.locator('#timeline').waitFor()
  }
  await b.close()
})

test('27 what changes much asks for the id to be typed', async () => {
  const b = await session(keys.ops)
  await control({ ingest: [{ user: 'to delete', event: 'purchase', properties: { amount: 1 } }] })
  await b.page.goto(`${studio}/user?id=to+delete`)
  await b.page.getByRole('button', { name: 'Delete' }).click()
  const dialog = b.page.getByRole('dialog')
  const confirm = dialog.getByRole('button', { name: 'Delete' })
  assert.equal(await confirm.isDisabled(), true)
  await dialog.getByLabel(/Type/).fill('to delet')
  assert.equal(await confirm.isDisabled(), true)
  await dialog.getByLabel(/Type/).fill('to delete')
  await confirm.click()
  await b.page.getByRole('status').filter({ hasText: 'deleted' }).first().waitFor()
  await b.close()
})
