package buckets

//go:generate go run ../cmd/bucketgen -out ../gen .
