/** The dashboard: a page for the operator of one mesh, which uses its HTTP API. */
import { render } from "preact";
import { App } from "./views/app.tsx";
import "uplot/dist/uPlot.min.css";
import "./styles/main.css";

render(<App />, document.body);
