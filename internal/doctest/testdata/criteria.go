package page

import "time"

var order struct{ At time.Time }
