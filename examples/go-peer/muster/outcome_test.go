package muster

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

func offerWithUpload(fence int64) taskOffer {
	offer := offerOf(1, fence)
	offer.Payload, _ = json.Marshal(strings.Repeat("x", largestInline))
	offer.Upload = "secret"
	return offer
}

func TestALargeResultIsUploaded(t *testing.T) {
	b := newBench(t, nil)
	b.receive("task_offer", offerWithUpload(5), "")
	await(t, "begun", b.begun)
	b.finish <- nil
	await(t, "uploaded", b.uploads)
	equal(t, "held while it is uploaded", len(b.held()), 1)
	b.answers <- nil
	result := payloadOf[taskResult](t, b.link.next(t, "task_result"))
	equal(t, "bytes", result.Uploaded.Bytes, largestInline+2)
	equal(t, "result", string(result.Result), "null")
}

func TestALargeResultOfAnOlderFenceIsUploadedAgain(t *testing.T) {
	b := newBench(t, nil)
	b.receive("task_offer", offerWithUpload(5), "")
	await(t, "begun", b.begun)
	b.finish <- nil
	await(t, "uploaded", b.uploads)
	b.receive("task_offer", offerWithUpload(6), "")
	b.answers <- errDropped
	equal(t, "fence of the upload", await(t, "uploaded", b.uploads).Fence, 6)
	b.answers <- nil
	equal(t, "fence of the result", payloadOf[taskResult](t, b.link.next(t, "task_result")).Fence, 6)
}

func TestOutcomes(t *testing.T) {
	for _, c := range []struct {
		name  string
		err   error
		retry bool
		text  string
	}{
		{"an error", errors.New("no"), true, "no"},
		{"a permanent one", Permanent(errors.New("never")), false, "never"},
		{"a long one", errors.New(strings.Repeat("\U0001F510", 3000)), true, strings.Repeat("\U0001F510", 1000)},
	} {
		result := failure(attemptRef{}, c.err)
		equal(t, c.name, *result.Retry, c.retry)
		equal(t, c.name, *result.Error, c.text)
	}
}

func TestEncodedResults(t *testing.T) {
	sealed := offerOf(1, 1)
	sealed.SealTo = "ad438bfae31f6c093d61d4339255ea798092c9fadd07b97827f4b0ae9dee7c1c"
	sealed.Upload = "secret"
	plain := offerWithUpload(1)
	for _, c := range []struct {
		name           string
		offer          taskOffer
		length         int
		inline, upload bool
	}{
		{"the largest in a message", plain, largestInline, true, false},
		{"one byte more", plain, largestInline + 1, false, true},
		{"the largest upload", plain, largestResult, false, true},
		{"too large", plain, largestResult + 1, false, false},
		{"no uploads", offerOf(1, 1), largestInline + 1, false, false},
		{"sealed", sealed, 1000, true, false},
		{"sealed, larger than a message in base64", sealed, largestInline - 100, false, true},
	} {
		result, body, err := encodeResult(c.offer, json.RawMessage(`"`+strings.Repeat("x", c.length-2)+`"`))
		equal(t, c.name, err == nil && body == nil && len(result.Result) > 4, c.inline)
		equal(t, c.name, err == nil && body != nil && string(result.Result) == "null", c.upload)
		equal(t, c.name, result.Sealed, c.offer.SealTo != "")
	}
}
