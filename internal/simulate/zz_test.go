package simulate_test
import ("testing";"fmt";"sort";"time";"pgregory.net/rapid"
"github.com/bucketgen/bucketgen/internal/refeval"
"github.com/bucketgen/bucketgen/internal/refeval/draw")
func TestZZ(t *testing.T){
 m:=map[string]int{}
 n:=0
 draw.Check(t,5000,func(t *rapid.T){
  n++
		f := draw.Definitions(t, "", 4)
		steps := draw.Steps(t, f, []string{"ada", "bob"}, 16)
		until := steps[len(steps)-1].At.Add(time.Duration(rapid.IntRange(0, 30).Draw(t, "after")) * draw.Hour)
		want := refeval.Run(f, steps, until)
  m["steps"]+=len(steps); m["defs"]+=len(f.Definitions)
  any:=map[string]bool{}
  for _,s:=range steps{ any["op "+string(s.Op)]=true; if s.Key!=""{any["key"]=true}}
  for _,r:=range want.Steps { if r.Duplicate{any["dup"]=true}; if r.Refused!=""{any["refused"]=true}}
  for _,x:=range want.Transitions { any["t "+x.Kind+" "+x.Source+" "+x.Reason]=true; if x.Suppressed{any["suppressed"]=true}; if x.Epoch>2{any["epoch>2"]=true}; m["transitions"]++}
  for k:=range any{m[k]++}
 })
 var ks []string; for k:=range m{ks=append(ks,k)}; sort.Strings(ks)
 for _,k:=range ks{fmt.Println(k,m[k])}
 fmt.Println(n)
}
