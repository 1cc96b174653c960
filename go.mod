module github.com/bucketgen/bucketgen

go 1.26.0
