package httpapi

import "github.com/bucketgen/bucketgen/internal/apikey"

type (
	key    = apikey.Key
	keys   = apikey.Store
	digest = apikey.Digest
)

const (
	writeKey   = apikey.Write
	serverKey  = apikey.Server
	readKey    = apikey.Read
	supportKey = apikey.Support
	adminKey   = apikey.Admin
)
