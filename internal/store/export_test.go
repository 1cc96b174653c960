package store

// CheckVersionFor is CheckVersion of a program that needs a certain version.
var CheckVersionFor = checkVersion
