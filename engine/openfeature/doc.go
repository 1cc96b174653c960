// Package openfeature lets programs ask for buckets as flags, by OpenFeature: the boolean flag
// bucket:<id> is whether the user whom the targeting key names is in the bucket.
//
//	users, err := lookup.New(e, lookup.Config{})
//	...
//	err = e.Start(ctx)
//	err = users.Start(ctx)
//	err = sdk.SetProviderWithContextAndWait(ctx, openfeature.New(users))
//	...
//	ada := sdk.NewEvaluationContext("ada", nil)
//	sdk.NewClient("shop").Boolean(ctx, "bucket:power-users", false, ada)
//
// Here sdk is github.com/open-feature/go-sdk/openfeature.
//
// Members get true for the reason TARGETING_MATCH, all others false for the reason DEFAULT, whether
// the answer comes from memory or from the database: by its bound it is as good. A flag of another
// name, or of no bucket, is FLAG_NOT_FOUND, one that is asked for by another type TYPE_MISMATCH,
// and without a targeting key there is TARGETING_KEY_MISSING. A visitor who has not signed in has
// none: the attribute anonymousId names them.
//
// The provider says by PROVIDER_CONFIGURATION_CHANGED which flags have changed for any user, by
// PROVIDER_STALE that it has lost sight of what happens, so that each question is put to the
// database, and by PROVIDER_READY that it sees again.
package openfeature
