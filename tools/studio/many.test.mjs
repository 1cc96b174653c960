// Check 11: an installation with 10,000 buckets.
import assert from 'node:assert/strict'
import test from 'node:test'
import { accessible, launch, studio } from './test/browser.mjs'

const buckets = 10_000
const ids = (html) => [...html.matchAll(/<tr id="b-([^"]+)"/g)].map((match) => match[1])

test('11 10,000 buckets are listed page by page', async () => {
  const b = await launch()
  await b.page.goto(`${studio}/?sort=name`)
  await b.page.getByText(`${buckets.toLocaleString('en')} buckets`).first().waitFor()
  const rows = () => b.page.locator('#buckets tbody tr').evaluateAll((all) => all.map((row) => row.id))
  const first = await rows()
  assert.equal(first.length, 50)
  await b.page.getByRole('link', { name: 'Next' }).click()
  await b.page.waitForURL(/after=/)
  const second = await rows()
  assert.equal(second.filter((id) => first.includes(id)).length, 0)
  await accessible(b.page, 'the second page of 10,000 buckets')
  await b.page.getByRole('link', { name: 'Previous' }).click()
  await b.page.waitForURL((url) => !url.searchParams.get('after'))
  assert.deepEqual(await rows(), first)

  const seen = []
  let path = '/?sort=name'
  for (let pages = 1; path; pages++) {
    const html = await (await b.page.request.get(studio + path)).text()
    seen.push(...ids(html))
    const next = html.match(/rel="next" href="([^"]+)"/)?.[1].replaceAll('&amp;', '&')
    path = next?.slice(new URL(studio).pathname.length)
    assert.ok(pages <= buckets / 50, 'there are too many pages')
  }
  assert.equal(seen.length, buckets)
  assert.equal(new Set(seen).size, buckets)
  await b.close()
})
