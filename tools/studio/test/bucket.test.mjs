// Checks 14 to 21: the page of a bucket.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'node:test'
import { api, control, eventually, keys, session, studio } from './browser.mjs'

const number = (text) => Number(text.replaceAll(/[^0-9]/g, ''))

test('15 the number of members is that of the list', async () => {
  const b = await session(keys.board, '/buckets/power-buyers')
  const members = number(await b.page.locator('#stats dd').first().textContent())
  await b.page.getByRole('link', { name: 'Members', exact: true }).click()
  let seen = 0
  for (;;) {
    seen += await b.page.locator('tbody tr').count()
    const next = b.page.getByRole('link', { name: 'Next' })
    if ((await next.count()) === 0) {
      break
    }
    await next.click()
    await b.page.waitForURL(/after=/)
  }
  assert.equal(seen, members)
  const first = await b.page.locator('tbody th').first().textContent()
  if (members > 50) {
    await b.page.getByRole('link', { name: 'Previous' }).click()
    await b.page.waitForURL((url) => !url.searchParams.get('after'))
    assert.notEqual(await b.page.locator('tbody th').first().textContent(), first)
  }
  await b.close()
})

test('16 a bar of the chart opens its transitions, and their sources filter', async () => {
  const b = await session(keys.board, '/buckets/repeat-buyers?from=1998-06-01&to=1998-06-30')
  const bar = b.page.locator('svg.growth a:has(rect.in)').last()
  const [, entered] = (await bar.locator('title').textContent()).match(/([\d,]+) entered/)
  await bar.locator('rect.hit').click({ force: true })
  await b.page.waitForURL(/transitions\?from=/)
  assert.equal(await b.page.locator('tbody tr').filter({ hasText: 'entered' }).count(), Number(entered))
  await b.page.getByLabel('Source').selectOption('clock')
  await b.page.waitForURL(/source=clock/)
  await b.page.getByText('No transition.').waitFor() // a purchase makes a repeat buyer, never the clock
  await b.page.getByLabel('Source').selectOption('event')
  await b.page.waitForURL(/source=event/)
  assert.equal(await b.page.locator('tbody tr').count(), Number(entered))
  await b.close()
})

test('18 the exported members are those of the API', async () => {
  const b = await session(keys.board, '/buckets/power-buyers/members')
  const [download] = await Promise.all([b.page.waitForEvent('download'), b.page.getByRole('link', { name: 'Export this list' }).click()])
  const lines = readFileSync(await download.path(), 'utf8').trim().split(/\r?\n/).slice(1)
  const got = (await (await api('/buckets/power-buyers/members?limit=1000')).json()).members.map((m) => m.userId)
  assert.equal(lines.length, got.length)
  for (const user of got) {
    assert.ok(lines.some((line) => line.includes(user)), user)
  }
  await b.close()
})

test('17 the range of the chart is chosen by keys', async () => {
  const b = await session(keys.board, '/buckets/lapsed')
  const from = b.page.getByLabel('from')
  await from.focus()
  await b.page.keyboard.type('06011998')
  await b.page.getByLabel('to', { exact: true }).focus()
  await b.page.keyboard.type('06151998')
  await b.page.keyboard.press('Enter')
  await b.page.waitForURL(/from=1998-06-01.*to=1998-06-15/)
  assert.equal(await b.page.locator('svg.growth [data-step]').count(), 15)
  await b.page.locator('svg.growth').focus()
  await b.page.keyboard.press('End')
  await b.page.keyboard.press('ArrowLeft')
  assert.match(await b.page.locator('studio-chart output').textContent(), /Jun 14: [\d,]+ members/)
  await b.close()
})

test('17.1 what the chart says is what the API says', async () => {
  const b = await session(keys.board, '/buckets/power-buyers?from=1998-06-01&to=1998-06-30')
  const got = await (await api('/buckets/power-buyers/sizes?from=1998-06-01T00:00:00Z&to=1998-06-30T12:00:00Z&step=day')).json()
  const titles = await b.page.locator('svg.growth [data-step] title').allTextContents()
  assert.equal(titles.length, got.points.length)
  got.points.forEach((point, i) => {
    assert.match(titles[i], new RegExp(`${point.members.toLocaleString('en')} members, ${point.entered.toLocaleString('en')} entered, ${point.left.toLocaleString('en')} left`))
  })
  await b.close()
})

test('17.2 days begin in the time zone of the address', async () => {
  const b = await session(keys.board, '/buckets/power-buyers?from=1998-06-01&to=1998-06-10&tz=America/New_York')
  const got = await (await api('/buckets/power-buyers/sizes?from=1998-06-01T04:00:00Z&to=1998-06-10T12:00:00Z&step=day&tz=America/New_York')).json()
  const steps = b.page.locator('svg.growth [data-step]')
  assert.deepEqual(await steps.evaluateAll((all) => all.map((e) => e.dataset.day)), Array.from({ length: 10 }, (_, i) => `1998-06-${String(i + 1).padStart(2, '0')}`))
  const titles = await steps.locator('title').allTextContents()
  got.points.forEach((point, i) => assert.match(titles[i], new RegExp(`: ${point.members.toLocaleString('en')} members, ${point.entered.toLocaleString('en')} entered`)))
  assert.match(await steps.first().getAttribute('href'), /from=1998-06-01T04%3A00%3A00Z/)
  assert.equal(await b.page.getByLabel('Time zone').inputValue(), 'America/New_York')
  await b.page.goto(`${studio}/buckets/power-buyers?tz=Mars`)
  await b.page.locator('#growth').getByText('Tz is no time zone', { exact: false }).waitFor()
  await b.close()
})

test('19 a bucket is paused and resumed', async () => {
  const b = await session(keys.ops, '/buckets/newcomers')
  await b.page.locator('main').getByRole('button', { name: 'Pause' }).click()
  const dialog = b.page.getByRole('dialog')
  assert.match(await dialog.textContent(), /Pause Newcomers\?/)
  assert.match(await dialog.textContent(), /\d members?/)
  await dialog.getByRole('button', { name: 'Pause' }).click()
  await b.page.getByRole('status').filter({ hasText: 'paused' }).waitFor()
  await b.page.locator('.heading .state').getByText('paused').waitFor()
  assert.equal((await (await api('/buckets/newcomers')).json()).paused, true)
  await b.page.getByRole('button', { name: 'Resume' }).last().click()
  await b.page.getByRole('dialog').getByRole('button', { name: 'Resume' }).click()
  await b.page.locator('.heading .state').getByText('live').waitFor()
  assert.equal((await (await api('/buckets/newcomers')).json()).paused ?? false, false)
  await b.close()
})

test('20 Cancel and Escape change nothing', async () => {
  const b = await session(keys.ops, '/buckets/newcomers')
  for (const leave of [() => b.page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click(), () => b.page.keyboard.press('Escape')]) {
    await b.page.locator('main').getByRole('button', { name: 'Pause' }).click()
    await b.page.getByRole('dialog').waitFor()
    await leave()
    await b.page.getByRole('dialog').waitFor({ state: 'hidden' })
  }
  assert.equal((await (await api('/buckets/newcomers')).json()).paused ?? false, false)
  await b.close()
})

test('21 users are added to a manual bucket, and removed', async () => {
  const b = await session(keys.ops, '/buckets/guests')
  const change = async (verb, users) => {
    await b.page.getByRole('button', { name: 'Add or remove users' }).click()
    await b.page.getByRole('dialog').getByLabel('User ids').fill(users.join('\n'))
    await b.page.getByRole('dialog').getByRole('button', { name: verb }).click()
    await b.page.locator('#changes').getByText(`${users.length} users`).waitFor() // it says what would happen
    await b.page.locator('main').getByRole('button', { name: verb, exact: true }).click()
    await b.page.getByRole('status').filter({ hasText: /added|removed/ }).waitFor()
  }
  await change('Add', ['grace', 'a b', 'a/b'])
  assert.deepEqual((await b.page.locator('tbody th').allTextContents()).sort(), ['a b', 'a/b', 'grace'])
  await change('Remove', ['grace', 'a b', 'a/b'])
  await b.page.getByText('No member.').waitFor()
  await b.close()
})

test('1.2 why a bucket jumped: a bar of the chart leads to its transitions', async () => {
  const b = await session(keys.board)
  await b.page.locator('#b-repeat-buyers a').click() // the first click
  await b.page.locator('svg.growth').waitFor()
  const bar = b.page.locator('svg.growth a:has(rect.in)').last()
  await bar.locator('rect.hit').click({ force: true }) // the second
  await b.page.waitForURL(/transitions\?from=/)
  await b.close()
})

test('1.3 who is in a bucket takes two clicks', async () => {
  const b = await session(keys.board)
  await b.page.locator('#b-power-buyers a').click()
  await b.page.getByRole('link', { name: 'Members', exact: true }).click()
  await b.page.locator('tbody th a').first().waitFor()
  const got = await (await api('/buckets/power-buyers/members?limit=1000')).json()
  const all = new Set(got.members.map((m) => m.userId))
  for (const user of await b.page.locator('tbody th').allTextContents()) {
    assert.ok(all.has(user), user)
  }
  await control({ advance: '1s' })
  await b.page.goto(`${studio}/buckets/power-buyers/members?asOf=1998-01-01T00:00:00`)
  await b.page.getByText('as of 1998-01-01').waitFor()
  await eventually('the list of then', async () => (await b.page.locator('tbody tr').count()) > 0)
  await b.close()
})
