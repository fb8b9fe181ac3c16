/** `maxLag` as an environment variable (`MAX_LAG`) and as a flag (`--max-lag`), as `param` names them. */
export function parameterNames(name: string): { variable: string; flag: string } {
  const words = name.replace(/([a-z0-9])([A-Z])|([A-Z])([A-Z][a-z])/g, "$1$3_$2$4");
  return { variable: words.toUpperCase(), flag: `--${words.toLowerCase().replaceAll("_", "-")}` };
}
