// The script of all pages: refreshing, pausing, dialogs, the search, and the elements of single pages.
import "./filters";
import "./forecast";
import "./chart";
import { closeable } from "./dialogs";
import { refreshing } from "./refresh";
import { palette } from "./palette";
import { once } from "./once";
import { live } from "./live";

once();
refreshing();
closeable();
palette();
live();
