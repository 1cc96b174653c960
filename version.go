package bucketgen

// Version is the version of bucketgen that a program was built with, as in CHANGELOG.md. Commands
// print it, and webhooks, mirrors and the client of the HTTP API send it as their User-Agent.
const Version = "0.1.0"
