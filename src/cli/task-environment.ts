/** The token belongs to the operator; a program or a module that runs tasks must not receive it. */
export function withoutToken({
  MUSTER_TOKEN: _token,
  ...env
}: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return env;
}
