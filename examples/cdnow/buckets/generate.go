package buckets

//go:generate go tool bucketgen -out ../gen .
