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

test('14.2 combinations of buckets are a matrix with dots', async () => {
  const b = await session(keys.board, '/buckets/power-buyers/overlap')
  for (const id of ['repeat-buyers', 'loyal-readers']) {
    await b.page.getByLabel(`Combine with ${id}`).check({ timeout: 30000 })
  }
  await b.page.getByRole('button', { name: 'Combine the chosen' }).click()
  const table = b.page.locator('table.upset')
  await table.waitFor({ timeout: 30000 })
  await accessible(b.page, 'combinations')
  const ids = (await table.locator('thead th a').allTextContents()).map((text) => text.trim())
  assert.deepEqual(ids.toSorted(), ['loyal-readers', 'power-buyers', 'repeat-buyers'])
  const rows = await table.locator('tbody tr').evaluateAll((all) => all.map((row) => ({
    dots: [...row.querySelectorAll('.dot .sr')].map((dot) => dot.textContent === 'in'), users: Number(row.querySelector('.num').textContent.replaceAll(',', '')),
  })))
  assert.equal(new Set(rows.map((row) => String(row.dots))).size, rows.length)
  // the Venn diagram of three says the same
  const parts = await b.page.locator('figure.venn text[data-part]').evaluateAll((all) => all.map((text) => [Number(text.dataset.part), Number(text.textContent.replaceAll(',', ''))]))
  assert.equal(parts.length, 7)
  for (const [part, users] of parts) {
    const row = rows.find(({ dots }) => dots.every((is, i) => is === ((part >> i) & 1) > 0))
    assert.equal(users, row?.users ?? 0, `part ${part}`)
  }
  for (const [i, id] of ids.entries()) {
    const got = await (await api(`/buckets/${id}`)).json()
    assert.equal(rows.filter((row) => row.dots[i]).reduce((sum, row) => sum + row.users, 0), got.members, id)
  }
  await b.close()
})

test('14.2b two buckets are circles, whose areas have the ratio of their numbers', async () => {
  const b = await session(keys.board, '/buckets/power-buyers/overlap?with=loyal-readers')
  const figure = b.page.getByRole('figure', { name: 'Venn diagram' })
  await figure.waitFor({ timeout: 30000 })
  const [first, second] = await figure.locator('circle').evaluateAll((all) => all.map((c) => Number(c.getAttribute('r'))))
  const size = async (id) => (await (await api(`/buckets/${id}`)).json()).members
  const [power, loyal] = [await size('power-buyers'), await size('loyal-readers')]
  assert.ok(Math.abs((first / second) ** 2 - power / loyal) < 0.02 * (power / loyal), `${first} ${second} for ${power} and ${loyal}`)
  const words = await figure.locator('figcaption > span').allTextContents()
  const [onlyPower, onlyLoyal, both] = words.map((text) => Number(text.replace(/.*: /s, '').replaceAll(',', '')))
  assert.deepEqual([onlyPower + both, onlyLoyal + both], [power, loyal])
  await b.page.goto(`${studio}/buckets/power-buyers/overlap?with=loyal-readers,lapsed,guests`)
  await b.page.locator('table.upset').waitFor({ timeout: 30000 })
  assert.equal(await b.page.locator('figure.venn').count(), 0)
  await b.close()
})

test('14.3 the users whom one condition keeps out are listed', async () => {
  const b = await session(keys.board, '/buckets/loyal-readers')
  await b.page.getByRole('link', { name: /keeps out [\d,]+ alone/ }).first().click({ timeout: 30000 })
  await b.page.getByRole('heading', { name: 'Users whom one condition keeps out of loyal-readers' }).waitFor()
  await accessible(b.page, 'users of a job')
  const user = await b.page.locator('ul.log a').first().textContent()
  const got = await (await api(`/buckets/loyal-readers/members/${encodeURIComponent(user)}/explain`)).json()
  assert.equal(got.member, false)
  assert.equal(got.criteria.parts.filter((part) => !part.holds).length, 1)
  await b.page.locator('ul.log a').first().click()
  await b.page.getByText('Not in Loyal readers').waitFor()
  await b.close()
})

test('14.4 a back-test draws both versions and names who differs', async () => {
  const b = await session(keys.board, '/backtest?bucket=loyal-readers')
  const chart = b.page.locator('svg.compare')
  await chart.waitFor({ timeout: 60000 })
  await accessible(b.page, 'a back-test')
  for (const line of ['polyline.size', 'polyline.other', 'polygon.band']) {
    assert.equal(await chart.locator(line).count(), 1, line)
  }
  const value = async (name) => Number((await b.page.locator('dl.pairs dt', { hasText: new RegExp(`^${name}$`) }).locator('xpath=following-sibling::dd[1]').textContent()).replaceAll(/[^0-9]/g, ''))
  assert.equal(await value('Members at the end'), (await value('In both')) + (await value('Only in this build')))
  assert.equal(await value('Members of the other'), (await value('In both')) + (await value('Only in the other')))
  const last = await chart.locator('[data-step] title').last().textContent()
  assert.match(last, new RegExp(`${(await value('Members at the end')).toLocaleString('en')} members`))
  await b.close()
})

test('4.1 health shows what is due in the coming hours', async () => {
  const b = await session(keys.board, '/health')
  const { hours } = await (await api('/due?hours=48')).json()
  const shown = await b.page.locator('#due tbody .num').allTextContents()
  assert.deepEqual(shown.map((text) => Number(text.replaceAll(',', ''))), hours.map((h) => h.due))
  assert.ok(hours.length > 0)
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
