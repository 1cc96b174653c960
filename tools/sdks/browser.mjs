// Runs an SDK for browsers in Chromium: node browser.mjs SDK PAGE. PAGE is the origin that serves the page; it also says where the
// API is, which calls to send, and what has been stored: the script waits for that, never for a time.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium } from 'playwright-core'

const [sdk, origin] = process.argv.slice(2)
const { parts } = await (await fetch(`${origin}/plan`)).json()
const profile = mkdtempSync(join(tmpdir(), 'bucketgen-sdks-'))
const browser = await chromium.launchPersistentContext(profile, {
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  headless: true,
  args: [
    '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync',
  ],
})

try {
  let sent = 0
  const send = async (page, calls) => {
    await page.evaluate((calls) => globalThis.send(calls), calls)
    sent += calls.length
  }

  // While the API answers the first requests by 503.
  const page = await open('')
  await send(page, parts.faults)
  await stored(sent)

  // Offline, then online again.
  await browser.setOffline(true)
  await send(page, parts.offline)
  await page.evaluate(() => navigator.onLine === false || Promise.reject(new Error('the page is online')))
  await browser.setOffline(false)
  await stored(sent)
  await page.close()

  // The page is left as soon as the calls are made: what the SDK holds then is sent by keepalive or as a beacon.
  const left = await open('?leave')
  await send(left, parts.leave)
  await left.goto('about:blank')
  await stored(sent)
} finally {
  await browser.close()
  rmSync(profile, { recursive: true, force: true })
}

async function open(query) {
  const page = await browser.newPage()
  page.on('pageerror', (error) => console.error(error))
  page.on('console', (message) => console.error(message.type(), message.text()))
  await page.goto(`${origin}/${sdk}.html${query}`)
  await page.waitForFunction(() => globalThis.ready === true)
  return page
}

// stored waits until the API has acknowledged the wanted number of calls.
async function stored(want) {
  const answer = await fetch(`${origin}/stored?want=${want}`)
  if (!answer.ok) throw new Error(await answer.text())
}
