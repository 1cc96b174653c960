// Sends the calls on the standard input by an SDK for Node.js: node node.mjs SDK URL KEY. The options that are set make it try
// again sooner; everything else is as the SDK has it.
import { readFileSync } from 'node:fs'

const [sdk, url, key] = process.argv.slice(2)
const calls = JSON.parse(readFileSync(0, 'utf8'))

const sdks = {
  async segment() {
    const { Analytics } = await import('@segment/analytics-node')
    const client = new Analytics({ writeKey: key, host: url })
    client.on('error', (error) => fail(error.reason ?? error))
    for (const { kind, user: userId, name, values } of calls) {
      if (kind === 'identify') client.identify({ userId, traits: values })
      else if (kind === 'page') client.page({ userId, name, properties: values })
      else if (kind === 'group') client.group({ userId, groupId: name, traits: values })
      else client.track({ userId, event: name, properties: values })
    }
    await client.closeAndFlush()
  },

  async rudder() {
    const { default: Analytics } = await import('@rudderstack/rudder-sdk-node')
    const client = new Analytics(key, { dataPlaneUrl: url, errorHandler: fail })
    for (const { kind, user: userId, name, values } of calls) {
      if (kind === 'identify') client.identify({ userId, traits: values })
      else if (kind === 'page') client.page({ userId, name, properties: values })
      else if (kind === 'group') client.group({ userId, groupId: name, traits: values })
      else client.track({ userId, event: name, properties: values })
    }
    await client.flush()
  },

  async posthog() {
    const { PostHog } = await import('posthog-node')
    const client = new PostHog(key, { host: url, fetchRetryDelay: 200 })
    client.on('error', fail)
    for (const { kind, user: distinctId, name, values } of calls) {
      if (kind === 'identify') client.identify({ distinctId, properties: values })
      else if (kind === 'page') client.capture({ distinctId, event: 'page', properties: { name, ...values } })
      else if (kind === 'group') client.capture({ distinctId, event: 'group', properties: { groupId: name, ...values } })
      else client.capture({ distinctId, event: name, properties: values })
    }
    await client.shutdown(60_000)
    const flags = new PostHog(key, { host: url })
    const all = await flags.getAllFlags('ada')
    if (Object.keys(all).length > 0) fail(new Error(`there are flags: ${JSON.stringify(all)}`))
    await flags.shutdown()
  },
}

function fail(error) {
  console.error(error)
  process.exitCode = 1
}

await sdks[sdk]()
