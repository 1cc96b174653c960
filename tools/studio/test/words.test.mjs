// What pages say: of users that there are not, of links that others made, of times of another clock.
import assert from 'node:assert/strict'
import test from 'node:test'
import { api, control, keys, session, studio } from './browser.mjs'

test('26.1 an unknown user is named once, beside ids like it, without actions', async () => {
  await control({ ingest: [{ user: 'miriam', event: 'purchase', properties: { cds: 1, amount: 3 } }] })
  const b = await session(keys.ops)
  b.expect('404')
  await b.page.goto(`${studio}/user?id=miriama`)
  await b.page.getByText('No user has the id miriama.', { exact: false }).waitFor()
  assert.equal(await b.page.getByRole('alert').count(), 0)
  assert.equal(await b.page.locator('main [data-opens], main form[method=post]').count(), 0)
  await b.page.getByRole('link', { name: 'miriam', exact: true }).click()
  await b.page.locator('#now').waitFor()
  await b.close()
})

test('27.1 a deleted user is restored on their page', async () => {
  await control({ ingest: Array.from({ length: 2 }, () => ({ user: 'gone', event: 'purchase', properties: { cds: 1, amount: 3 } })) })
  assert.equal((await api('/users/gone', keys.ops, { method: 'DELETE' })).status, 200)
  const b = await session(keys.ops, '/user?id=gone')
  await b.page.getByText('This user is deleted.', { exact: false }).waitFor()
  assert.equal(await b.page.getByRole('alert').count(), 0)
  await b.page.getByRole('button', { name: 'Restore' }).click()
  await b.page.getByRole('dialog').getByRole('button', { name: 'Restore' }).click()
  await b.page.locator('#now').getByText('Repeat buyers').waitFor()
  await b.close()
})

test('8.1 a link cannot make a page say anything', async () => {
  const b = await session(keys.ops)
  const text = 'Your+key+has+expired'
  for (const path of [`/?done=${text}`, `/user?id=..&done=${text}&merged=${text}`, `/buckets/lapsed?done=${text}`, `/buckets/lapsed/transitions?from=${text}&to=${text}`]) {
    await b.page.goto(studio + path)
    assert.doesNotMatch(await b.page.locator('body').innerText(), /Your.key.has.expired/, path)
  }
  await b.close()
})

test('30.1 the history of a bucket is a tree, and words keep their distance', async () => {
  const b = await session(keys.ops, '/buckets/loyal-readers/history')
  const first = b.page.locator('ol.log > li').first()
  assert.ok((await first.locator('ul.criteria ul li').count()) >= 3)
  const wide = await first.locator('ul.criteria ul li').evaluateAll((all) => all.every((li) => getComputedStyle(li).display !== 'grid' && getComputedStyle(li).borderTopWidth === '0px'))
  assert.ok(wide)
  for (const path of ['/', '/buckets/loyal-readers/history', '/plan', '/health', '/events']) {
    await b.page.goto(studio + path)
    const close = await b.page.locator('main').evaluate((main) => [...main.querySelectorAll('.state, .chip')].flatMap((e) => {
      const next = e.nextElementSibling
      const [left, right] = [e.getBoundingClientRect(), next?.getBoundingClientRect()]
      return next && right.width > 0 && right.top < left.bottom && right.left >= left.left && right.left - left.right < 4 ? [`${e.textContent}|${next.textContent}`] : []
    }))
    assert.deepEqual(close, [], path)
  }
  await b.close()
})

test('30.2 no distance is shown to times that belong to another clock', async () => {
  const b = await session(keys.ops)
  for (const path of ['/plan', '/deployments/1', '/health', '/events', '/audit', '/buckets/loyal-readers/history']) {
    await b.page.goto(studio + path)
    const text = await b.page.locator('main').innerText()
    assert.doesNotMatch(text, /in \d+ y|-?\d{7,} ms/, path)
  }
  await b.page.goto(`${studio}/health`)
  await b.page.getByText(/\d+ y \d+ d behind|the same/).first().waitFor()
  await b.close()
})
