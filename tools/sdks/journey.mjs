// Plays a journey by an SDK for browsers in Chromium: node journey.mjs SDK PAGE. PAGE is the origin that serves the page and the
// steps. Each device is a profile of its own. After each step the script reports the anonymousId that the SDK has then.
import { chromium } from 'playwright-core'

const [sdk, origin] = process.argv.slice(2)
const { steps } = await (await fetch(`${origin}/plan`)).json()
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
})

try {
  const devices = {}
  for (const { device, act, user } of steps) {
    devices[device] ??= await open()
    const anonymousId = await devices[device].evaluate(([act, user]) => globalThis.act(act, user), [act, user])
    const answer = await fetch(`${origin}/after`, { method: 'POST', body: JSON.stringify({ anonymousId }) })
    if (!answer.ok) throw new Error(await answer.text())
  }
} finally {
  await browser.close()
}

async function open() {
  const page = await (await browser.newContext()).newPage()
  page.on('pageerror', (error) => console.error(error))
  page.on('console', (message) => console.error(message.type(), message.text()))
  await page.goto(`${origin}/${sdk}.html`)
  await page.waitForFunction(() => globalThis.ready === true)
  return page
}
