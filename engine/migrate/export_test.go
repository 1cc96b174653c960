package migrate

// UpFrom is Up with the migrations of a test.
var UpFrom = up
