package openfeature

import (
	"context"
	"errors"
	"strings"

	sdk "github.com/open-feature/go-sdk/openfeature"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/engine/lookup"
	"github.com/bucketgen/bucketgen/registry"
)

// Prefix is what the names of flags begin with. The id of a bucket follows.
const Prefix = "bucket:"

// AnonymousID is the attribute of an evaluation context that names a visitor, if there is no
// targeting key.
const AnonymousID = "anonymousId"

// Provider answers for flags. [New] makes one. It may be used from several goroutines.
type Provider struct {
	lookup   *lookup.Lookup
	registry *registry.Registry
	events   chan sdk.Event
	watch    watch
}

var (
	_ sdk.FeatureProvider          = (*Provider)(nil)
	_ sdk.EventHandler             = (*Provider)(nil)
	_ sdk.ContextAwareStateHandler = (*Provider)(nil)
)

// New makes a provider that asks a lookup, which should be started before the provider is set.
func New(l *lookup.Lookup) *Provider {
	return &Provider{lookup: l, registry: l.Engine().Registry(), events: make(chan sdk.Event)}
}

// Metadata returns the name of the provider.
func (p *Provider) Metadata() sdk.Metadata { return sdk.Metadata{Name: "bucketgen"} }

// Hooks returns none.
func (p *Provider) Hooks() []sdk.Hook { return nil }

// BooleanEvaluation returns whether a user is in the bucket of a flag.
func (p *Provider) BooleanEvaluation(ctx context.Context, flag string, defaultValue bool, in sdk.FlattenedContext) sdk.BoolResolutionDetail {
	ref, known := p.bucket(flag)
	if !known {
		return sdk.BoolResolutionDetail{Value: defaultValue, ProviderResolutionDetail: wrong(notFound(flag))}
	}
	user := userOf(in)
	if user == "" {
		return sdk.BoolResolutionDetail{Value: defaultValue, ProviderResolutionDetail: wrong(sdk.NewTargetingKeyMissingResolutionError(
			"the targeting key is empty; pass the id of the user in it, or the attribute " + AnonymousID))}
	}
	has, err := p.lookup.Has(ctx, ref, user)
	switch {
	case errors.Is(err, engine.ErrStopped):
		return sdk.BoolResolutionDetail{Value: defaultValue, ProviderResolutionDetail: wrong(sdk.NewProviderNotReadyResolutionError(err.Error()))}
	case err != nil:
		return sdk.BoolResolutionDetail{Value: defaultValue, ProviderResolutionDetail: wrong(sdk.NewGeneralResolutionError(err.Error(), err))}
	case has:
		return sdk.BoolResolutionDetail{Value: true, ProviderResolutionDetail: sdk.ProviderResolutionDetail{Reason: sdk.TargetingMatchReason, Variant: "member"}}
	default:
		return sdk.BoolResolutionDetail{Value: false, ProviderResolutionDetail: sdk.ProviderResolutionDetail{Reason: sdk.DefaultReason, Variant: "other"}}
	}
}

// userOf returns whom an evaluation context means: the user of the targeting key, else the visitor.
func userOf(in sdk.FlattenedContext) string {
	if user, _ := in[sdk.TargetingKey].(string); user != "" {
		return user
	}
	if visitor, _ := in[AnonymousID].(string); visitor != "" {
		return engine.By(engine.KindAnonymous, visitor)
	}
	return ""
}

// StringEvaluation returns an error: flags are boolean.
func (p *Provider) StringEvaluation(_ context.Context, flag, defaultValue string, _ sdk.FlattenedContext) sdk.StringResolutionDetail {
	return mismatch(p, flag, defaultValue)
}

// FloatEvaluation returns an error: flags are boolean.
func (p *Provider) FloatEvaluation(_ context.Context, flag string, defaultValue float64, _ sdk.FlattenedContext) sdk.FloatResolutionDetail {
	return mismatch(p, flag, defaultValue)
}

// IntEvaluation returns an error: flags are boolean.
func (p *Provider) IntEvaluation(_ context.Context, flag string, defaultValue int64, _ sdk.FlattenedContext) sdk.IntResolutionDetail {
	return mismatch(p, flag, defaultValue)
}

// ObjectEvaluation returns an error: flags are boolean.
func (p *Provider) ObjectEvaluation(_ context.Context, flag string, defaultValue any, _ sdk.FlattenedContext) sdk.InterfaceResolutionDetail {
	return mismatch(p, flag, defaultValue)
}

// bucket returns the bucket of a flag.
func (p *Provider) bucket(flag string) (registry.Ref, bool) {
	id, named := strings.CutPrefix(flag, Prefix)
	if !named {
		return registry.Ref{}, false
	}
	return p.registry.Ref(id)
}

func mismatch[T any](p *Provider, flag string, value T) sdk.GenericResolutionDetail[T] {
	err := sdk.NewTypeMismatchResolutionError(flag + " is a boolean flag")
	if _, known := p.bucket(flag); !known {
		err = notFound(flag)
	}
	return sdk.GenericResolutionDetail[T]{Value: value, ProviderResolutionDetail: wrong(err)}
}

func notFound(flag string) sdk.ResolutionError {
	return sdk.NewFlagNotFoundResolutionError("there is no flag " + flag + "; flags are called " + Prefix + " and the id of a bucket")
}

func wrong(err sdk.ResolutionError) sdk.ProviderResolutionDetail {
	return sdk.ProviderResolutionDetail{ResolutionError: err, Reason: sdk.ErrorReason}
}
