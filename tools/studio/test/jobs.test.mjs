// Checks 14 and 28 to 31: long work, plans and the outbox.
import assert from 'node:assert/strict'
import test from 'node:test'
import { accessible, api, control, eventually, keys, session, studio } from './browser.mjs'

test('14 the numbers of a funnel never rise, and end with the members', async () => {
  const b = await session(keys.board, '/buckets/loyal-readers')
  await b.page.locator('[data-remaining]').first().waitFor({ timeout: 30000 })
  const remaining = await b.page.locator('[data-remaining]').evaluateAll((all) => all.map((e) => Number(e.dataset.remaining)))
  assert.ok(remaining.length >= 3, String(remaining))
  assert.deepEqual(remaining, remaining.toSorted((x, y) => y - x))
  const got = await (await api('/buckets/loyal-readers')).json()
  assert.equal(remaining.at(-1), got.members)
  await accessible(b.page, 'a funnel')
  await b.close()
})

test('14.1 dwell, overlap and flows are counted in the background', async () => {
  const b = await session(keys.board)
  for (const [tab, text] of [['dwell', 'Median'], ['overlap', 'In both'], ['flows', 'From']]) {
    await b.page.goto(`${studio}/buckets/power-buyers/${tab}`)
    await b.page.locator('#result').getByText(text, { exact: false }).first().waitFor({ timeout: 30000 })
    await accessible(b.page, tab)
  }
  await b.close()
})

test('28 the plan is that of the API', async () => {
  const b = await session(keys.board, '/plan')
  const got = await (await api('/plan')).json()
  await b.page.getByText(got.compiled).first().waitFor()
  const changed = got.buckets.filter((x) => x.status !== 'unchanged')
  assert.equal(await b.page.locator('.plans > details[open]').count(), changed.length)
  await b.close()
})

test('29 a deployment with a fingerprint that is not this process’s is refused', async () => {
  const b = await session(keys.ops, '/plan')
  const cookie = (await b.context.cookies()).map((c) => `${c.name}=${c.value}`).join('; ')
  const answer = await fetch(`${studio}/plan/deploy`, {
    method: 'POST', redirect: 'manual', headers: { Cookie: cookie, 'Sec-Fetch-Site': 'same-origin', 'Content-Type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ fingerprint: '0123456789abcdef', typed: '01234567', emit: 'silent' }),
  })
  assert.equal(answer.status, 409)
  await b.close()
})

test('31 a dead letter is replayed', async () => {
  const b = await session(keys.ops)
  await control({ broken: true })
  const buy = { user: 'letter', event: 'purchase', properties: { cds: 1, amount: 5 } }
  await control({ ingest: [buy, buy, buy] })
  await eventually('the delivery is given up', async () => {
    const got = await (await api('/outbox/dead')).json()
    return got.deadLetters.some((l) => l.transition.userId === 'letter')
  })
  await b.page.goto(`${studio}/outbox`)
  const row = b.page.locator('#dead tbody tr').filter({ hasText: 'letter' })
  await row.getByText('the mail server does not answer').waitFor()
  await accessible(b.page, 'the outbox')
  await control({ broken: false })
  await row.getByRole('checkbox').check()
  await b.page.getByRole('button', { name: 'Replay the chosen' }).click()
  await b.page.getByRole('status').filter({ hasText: 'delivered again' }).waitFor()
  await eventually('the letter is gone', async () => {
    const got = await (await api('/outbox/dead')).json()
    return !got.deadLetters.some((l) => l.transition.userId === 'letter')
  })
  await b.close()
})

test('33 an event whose name nearly is a declared one is found', async () => {
  const b = await session(keys.board, '/events')
  await b.page.locator('#drift').getByText('signed up').first().waitFor()
  const names = b.page.locator('#names')
  await names.getByText('close to signed_up').waitFor()
  await names.getByRole('row').filter({ hasText: 'signed up' }).first().waitFor()
  await names.getByRole('row').filter({ hasText: 'purchase' }).getByRole('link').first().waitFor() // a bucket that uses it
  await b.close()
})

test('33b the latest events appear as they are stored, and are found by name and user', async () => {
  const b = await session(keys.board, '/events')
  await control({ ingest: [{ user: 'latest one', event: 'purchase', properties: { cds: 7, amount: 5 } }] })
  const recent = b.page.locator('#recent')
  await recent.getByRole('row').filter({ hasText: 'latest one' }).filter({ hasText: '"cds":7' }).waitFor()
  await b.page.goto(`${b.page.url()}?user=missing`)
  await recent.getByText('No event is kept').waitFor()
  await b.page.goto(b.page.url().replace('missing', 'latest%20one'))
  await recent.getByRole('row').filter({ hasText: 'latest one' }).waitFor()
  await b.close()
})

test('45 transitions appear on the live page as they happen', async () => {
  const b = await session(keys.board, '/live')
  await b.page.locator('[data-state]').getByText('connected').waitFor()
  const buy = { user: 'live one', event: 'purchase', properties: { cds: 1, amount: 5 } }
  await control({ ingest: [buy, buy] })
  await b.page.locator('table.live tbody tr').filter({ hasText: 'live one' }).filter({ hasText: 'Repeat buyers' }).waitFor()
  await b.page.getByLabel('Bucket', { exact: true }).fill('nothing is called this')
  await eventually('the filter hides the rows', async () => (await b.page.locator('table.live tbody tr:visible').count()) === 0)
  await b.close()
})
