// The live page at a thousand transitions a second for half a minute. What depends on the speed of the machine is printed, and
// checked if STUDIO_TIMED is set, as make bench-studio does.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { control, keys, launch, signIn } from './browser.mjs'

const seconds = Number(process.env.STUDIO_SECONDS ?? 30)

test('45 the live page at 1,000 transitions a second', async () => {
  const b = await launch()
  await b.context.addInitScript(() => {
    window.tasks = []
    window.paints = []
    window.away = false
    new PerformanceObserver((list) => list.getEntries().forEach((entry) => window.tasks.push(entry.duration))).observe({ type: 'longtask', buffered: true })
    Object.defineProperty(document, 'hidden', { get: () => window.away })
    document.addEventListener('DOMContentLoaded', () => {
      const body = document.querySelector('[data-live] tbody')
      if (body) {
        new MutationObserver(() => window.paints.push(performance.now())).observe(body, { childList: true })
      }
    })
  })
  await signIn(b.page, keys.board, '/live')
  await b.page.getByText('connected').waitFor()
  const session = await b.context.newCDPSession(b.page)
  await session.send('Performance.enable')
  const heap = async () => {
    await session.send('HeapProfiler.collectGarbage')
    const { metrics } = await session.send('Performance.getMetrics')
    return metrics.find((metric) => metric.name === 'JSHeapUsedSize').value / 1e6
  }
  await control({ Rate: 1000, Seconds: 5 })
  const before = await heap()
  await b.page.evaluate(() => {
    window.tasks.length = 0
    window.paints.length = 0
  })
  const { made, took } = await control({ Rate: 1000, Seconds: seconds })
  const after = await heap()
  const seen = await b.page.evaluate(() => ({ tasks: window.tasks, paints: window.paints, rows: document.querySelector('[data-live] tbody').rows.length }))
  let most = 0 // paints within a second
  for (const [i, at] of seen.paints.entries()) {
    most = Math.max(most, seen.paints.slice(i).filter((other) => other < at + 990).length)
  }
  const longest = Math.max(0, ...seen.tasks)
  console.log(`live: ${Math.round(made / took)} transitions/s for ${took.toFixed(0)} s: longest task ${longest.toFixed(0)} ms over 50 ms: ` +
    `${seen.tasks.length} (bar 0), at most ${most} paints a second (bar 4), ${seen.rows} rows (bar 500), ` +
    `heap ${before.toFixed(1)} MB, then ${after.toFixed(1)} MB (bar +20 MB in 10 minutes)`)
  assert.ok(seen.paints.length > 0, 'the page drew nothing')
  assert.ok(seen.paints.length <= 4 * took + 1, `the list was drawn ${seen.paints.length} times in ${took} s`)
  assert.ok(seen.rows <= 501, `${seen.rows} rows`) // one says how many were skipped
  assert.ok(after - before < 20, `the heap grew by ${after - before} MB`)
  if (process.env.STUDIO_TIMED) {
    assert.ok(made / took > 950, `${made} transitions in ${took} s`)
    assert.deepEqual(seen.tasks, [], 'tasks over 50 ms')
  }

  // A page that is hidden asks for nothing, and its stream is closed.
  await b.page.evaluate(() => {
    window.away = true
    document.dispatchEvent(new Event('visibilitychange'))
  })
  await eventually(async () => assert.equal((await control({})).streams, 0))
  const { requests } = await control({})
  await b.page.waitForTimeout(5000)
  assert.equal((await control({})).requests, requests, 'a hidden page asks the server')
  await b.page.evaluate(() => {
    window.away = false
    document.dispatchEvent(new Event('visibilitychange'))
  })
  await eventually(async () => assert.equal((await control({})).streams, 1))
  await b.close()
})

// eventually repeats a check until it holds.
async function eventually(check) {
  for (let left = 100; ; left--) {
    try {
      return await check()
    } catch (error) {
      if (left === 0) {
        throw error
      }
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
}
