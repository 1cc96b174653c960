package segment_test

import (
	"strings"
	"testing"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/segment"
)

func event(text string) (engine.Event, error) {
	c, err := segment.Parse([]byte(text))
	if err != nil {
		return engine.Event{}, err
	}
	return c.Read()
}

func TestRead(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		text string
		want engine.Event
	}{
		"other case":          {`{"type":"track","userId":"me","USERID":"victim","Event":"x","event":"order"}`, engine.Event{UserID: "me", Name: "order"}},
		"numeric ids":         {`{"type":"track","userId":12345678901234567890,"messageId":7,"event":"order"}`, engine.Event{UserID: "12345678901234567890", Key: "7", Name: "order"}},
		"numeric group":       {`{"type":"group","userId":1,"groupId":42}`, engine.Event{UserID: "1", Name: "group", PropertiesJSON: []byte(`{"groupId":"42"}`)}},
		"list of PHP":         {`{"type":"track","userId":"ada","event":"order","properties":[ ]}`, engine.Event{UserID: "ada", Name: "order", PropertiesJSON: []byte("{}")}},
		"traits of PHP":       {`{"type":"identify","userId":"ada","traits":[]}`, engine.Event{UserID: "ada", TraitsJSON: []byte("{}")}},
		"null":                {`{"type":"identify","userId":"ada","traits":null,"context":null,"groupId":null}`, engine.Event{UserID: "ada", TraitsJSON: []byte("{}")}},
		"cut name":            {`{"type":"page","userId":"ada","name":"Hi \ud83d"}`, engine.Event{UserID: "ada", Name: "page", PropertiesJSON: []byte(`{"name":"Hi ` + "\ufffd" + `"}`)}},
		"cut in context":      {`{"type":"track","userId":"ada","event":"order","context":{"page":{"title":"\ud83d"}}}`, engine.Event{UserID: "ada", Name: "order"}},
		"page":                {`{"type":"page","userId":"ada","name":"A","category":"B","properties":{"name":"C", "n":1 }}`, engine.Event{UserID: "ada", Name: "page", PropertiesJSON: []byte(`{"name":"C", "n":1 ,"category":"B"}`)}},
		"empty page":          {`{"type":"page","userId":"ada"}`, engine.Event{UserID: "ada", Name: "page"}},
		"page of properties":  {`{"type":"page","userId":"ada","name":"A","properties":{ }}`, engine.Event{UserID: "ada", Name: "page", PropertiesJSON: []byte(`{ "name":"A"}`)}},
		"traits in context":   {`{"type":"identify","userId":"c1","context":{"traits":{"plan":"pro"}}}`, engine.Event{UserID: "c1", TraitsJSON: []byte(`{"plan":"pro"}`)}},
		"traits in both":      {`{"type":"identify","userId":"c1","traits":{"plan":"pro"},"context":{"traits":{"plan":"free","n":1}}}`, engine.Event{UserID: "c1", TraitsJSON: []byte(`{"plan":"pro","n":1}`)}},
		"context is a list":   {`{"type":"identify","userId":"c1","traits":{"a":1},"context":[]}`, engine.Event{UserID: "c1", TraitsJSON: []byte(`{"a":1}`)}},
		"old traits of track": {`{"type":"track","userId":"c1","event":"order","context":{"traits":{"plan":"pro"}}}`, engine.Event{UserID: "c1", Name: "order"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := event(tc.text)
			if err != nil || got.UserID != tc.want.UserID || got.Name != tc.want.Name || got.Key != tc.want.Key ||
				string(got.PropertiesJSON) != string(tc.want.PropertiesJSON) || string(got.TraitsJSON) != string(tc.want.TraitsJSON) {
				t.Errorf("got %+v, %s, %s, %v\nwant %+v, %s, %s", got, got.PropertiesJSON, got.TraitsJSON, err, tc.want, tc.want.PropertiesJSON, tc.want.TraitsJSON)
			}
		})
	}
}

func TestReadRefuses(t *testing.T) {
	t.Parallel()
	track := func(more string) string { return `{"type":"track","userId":"ada","event":"order",` + more + `}` }
	for name, tc := range map[string]struct{ text, want string }{
		"Latin-1 user":          {"{\"type\":\"track\",\"userId\":\"hh\xe9\",\"event\":\"purchase\"}", "userId: is not valid UTF-8"},
		"Latin-1 event":         {"{\"type\":\"track\",\"userId\":\"hh\",\"event\":\"\xe9\"}", "event: is not valid UTF-8"},
		"Latin-1 in properties": {track("\"properties\":{\"a\":[\"\xe9\"]}"), "properties.a.0: is not valid UTF-8"},
		"Latin-1 in context":    {track("\"context\":{\"ip\":\"\xe9\"}"), "context.ip: is not valid UTF-8"},
		"user twice":            {track(`"userId":"victim"`), "userId: is given twice"},
		"property twice":        {track(`"properties":{"a":1,"a":2}`), "properties.a: is given twice"},
		"page twice":            {`{"type":"page","userId":"ada","properties":{"a":1,"a":2}}`, "properties.a: is given twice"},
		"group twice":           {`{"type":"group","userId":"ada","traits":{"a":{"b":1,"b":2}}}`, "traits.a.b: is given twice"},
		"cut user":              {`{"type":"track","userId":"x\ud83d","event":"order"}`, "userId: has half of a surrogate pair"},
		"fraction":              {`{"type":"track","userId":1.5,"event":"order"}`, "userId: is the number 1.5; send a string, or an integer"},
		"flag":                  {`{"type":"track","userId":true,"event":"order"}`, "userId: is a JSON boolean; send a string"},
		"numeric event":         {`{"type":"track","userId":"ada","event":7}`, "event: is a JSON number; send a string"},
		"list of something":     {`{"type":"page","userId":"ada","properties":[1]}`, "properties: is a JSON array; send an object"},
		"traits in no object":   {`{"type":"identify","userId":"ada","traits":{"a":1},"context":{"traits":7}}`, "context.traits: is a JSON number; send an object"},
		"more":                  {track(`"messageId":"1"`) + "x", "is no JSON: it has more text after the value"},
		"previous object":       {`{"type":"alias","userId":"ada","previousId":"[object Object]"}`, `previousId: is "[object Object]"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := event(tc.text); err == nil || !strings.HasPrefix(err.Error(), tc.want) {
				t.Errorf("got %v, want %s", err, tc.want)
			}
		})
	}
}
