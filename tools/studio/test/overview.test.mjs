// Checks 9 to 13: the overview. Check 11 is in many.test.mjs, which has 10,000 buckets.
import assert from 'node:assert/strict'
import test from 'node:test'
import { api, control, eventually, keys, session, studio } from './browser.mjs'

const names = (page) => page.locator('table.buckets tbody th a').allTextContents()

test('9 a search survives a reload, and Back leaves it', async () => {
  const b = await session(keys.board)
  const all = await names(b.page)
  assert.ok(all.length >= 7)
  await b.page.keyboard.press('/')
  await b.page.keyboard.type('buyers')
  await b.page.keyboard.press('Enter')
  await b.page.waitForURL(/q=buyers/)
  assert.deepEqual((await names(b.page)).sort(), ['Power buyers', 'Repeat buyers'])
  await b.page.reload()
  assert.deepEqual((await names(b.page)).sort(), ['Power buyers', 'Repeat buyers'])
  assert.equal(await b.page.getByLabel('Filter by name').inputValue(), 'buyers')
  await b.page.goBack()
  assert.deepEqual(await names(b.page), all)
  await b.page.getByLabel('Kind').selectOption('manual')
  await b.page.waitForURL(/kind=manual/)
  assert.deepEqual(await names(b.page), ['Guest list'])
  await b.close()
})

test('10 the sorted column says so, and the order is right', async () => {
  const b = await session(keys.board)
  const head = b.page.getByRole('columnheader', { name: 'Size' })
  const sizes = async () => (await b.page.locator('td.size').allTextContents()).map((text) => Number(text.replaceAll(',', '')))
  assert.equal(await head.getAttribute('aria-sort'), 'descending')
  assert.deepEqual(await sizes(), (await sizes()).sort((x, y) => y - x))
  await head.getByRole('link').click()
  await b.page.waitForURL(/order=asc/)
  assert.equal(await head.getAttribute('aria-sort'), 'ascending')
  assert.deepEqual(await sizes(), (await sizes()).sort((x, y) => x - y))
  await b.page.getByRole('columnheader', { name: 'Name' }).getByRole('link').click()
  await b.page.waitForURL(/sort=name/)
  assert.deepEqual(await names(b.page), (await names(b.page)).toSorted((x, y) => x.toLowerCase() < y.toLowerCase() ? -1 : 1))
  assert.equal(await head.getAttribute('aria-sort'), 'none')
  await b.close()
})

test('12 a size changes by itself, and the focus stays', async () => {
  const b = await session(keys.board)
  const size = b.page.locator('#b-guests td.size')
  const before = (await (await api('/buckets/guests')).json()).members // the page can be some seconds behind
  const link = b.page.locator('#b-power-buyers a')
  await link.focus()
  await b.page.getByLabel('Filter by name').fill('half typed')
  await link.focus()
  assert.equal((await api('/buckets/guests/members/overview-guest', keys.ops, { method: 'PUT' })).status, 200)
  await eventually('the size grows', async () => Number((await size.textContent()).replaceAll(',', '')) === before + 1)
  assert.equal(await b.page.evaluate(() => document.activeElement.closest('tr')?.id), 'b-power-buyers')
  assert.equal(await b.page.getByLabel('Filter by name').inputValue(), 'half typed')
  await api('/buckets/guests/members/overview-guest', keys.ops, { method: 'DELETE' })
  await b.close()
})

test('13 Pause stops every refresh, and Resume catches up', async () => {
  const b = await session(keys.board)
  const size = b.page.locator('#b-guests td.size')
  const before = await size.textContent()
  await b.page.getByRole('button', { name: 'Pause' }).click()
  await eventually('requests in flight end', () => b.page.evaluate(() => !document.querySelector('.htmx-request')))
  const requests = []
  b.page.on('request', (request) => requests.push(request.url()))
  await api('/buckets/guests/members/paused-guest', keys.ops, { method: 'PUT' })
  await control({ advance: '1s' })
  await b.page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 2500))) // longer than any pace of this page
  assert.deepEqual(requests, [])
  assert.equal(await size.textContent(), before)
  await b.page.getByRole('button', { name: 'Resume' }).click()
  await eventually('the size grows', async () => (await size.textContent()) !== before)
  await api('/buckets/guests/members/paused-guest', keys.ops, { method: 'DELETE' })
  await b.close()
})

test('1.1 how large each bucket is, and whether it grows, stands on the first page', async () => {
  const b = await session(keys.board)
  const got = await (await api('/buckets?sort=size&order=desc')).json()
  for (const bucket of got.buckets) {
    const row = b.page.locator(`#b-${bucket.id}`)
    assert.equal(await row.locator('td.size').textContent(), bucket.members.toLocaleString('en'))
    assert.equal(await row.locator('svg.spark').count(), 1)
  }
  await b.close()
})

test('1.4 the strip says whether all is well', async () => {
  const b = await session(keys.board, '/health')
  const strip = b.page.getByRole('group', { name: 'Status' })
  await strip.getByText('clock').waitFor()
  assert.match(b.page.url(), /health/)
  await b.page.goto(`${studio}/`)
  await strip.getByText('outbox').waitFor()
  await b.close()
})
