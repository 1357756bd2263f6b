import path from 'node:path';
import type { Env } from '../system.ts';

/**
 * The shell script around a step's commands. Plain `sh`, because it must start in
 * milliseconds and live as long as the step, whatever becomes of us.
 *
 * 1. It claims the attempt: making a folder succeeds once, so of two starters one gives up.
 * 2. It says which process it is, by a link that appears when the file is whole and only if nobody
 *    has given the step up meanwhile by taking that name.
 * 3. `exit` takes its space before the commands run and is written in place: a full disk must not
 *    hide how the step ended.
 * 4. The log is written line by line as it comes (`stdbuf`) and ends at its limit; the commands can
 *    go on writing, to nowhere.
 *
 * Arguments: folder, log limit, number of words of the shell, those words, commands.
 */
export const STEP_SCRIPT = `
folder=$1 limit=$2 words=$3
shift 3
mkdir "$folder/claim" || exit 0
read -r stat < "/proc/$$/stat"
read -r boot < /proc/sys/kernel/random/boot_id
printf '%s\\n%s\\n' "$stat" "$boot" > "$folder/process.tmp"
printf '%-8s\\n' pending > "$folder/exit"
: > "$folder/log"
ln "$folder/process.tmp" "$folder/process" || exit 0
unbuffered=
command -v stdbuf > /dev/null && unbuffered='stdbuf -o0'
trap : TERM
{
  trap : TERM
  case $words in
    1) shell=$1 option=; shift 1 ;;
    2) shell=$1 option=$2; shift 2 ;;
    *) shell=$1 option="$2 $3"; shift 3 ;;
  esac
  code=0
  for command in "$@"; do
    "$shell" $option -c "$command" || { code=$?; break; }
  done
  printf '%-8s\\n' "$code" 1<> "$folder/exit"
} 2>&1 | {
  trap '' TERM
  $unbuffered head -c "$limit" 2> /dev/null
  cat > /dev/null
} > "$folder/log"
`;

/** The user's shell without its startup files, as DVC calls it. */
export function shellWords(env: Env): readonly string[] {
  const shell = env['SHELL'];
  if (shell === undefined || shell === '') return ['/bin/sh'];
  const name = path.basename(shell).toLowerCase();
  if (name === 'bash') return [shell, '--noprofile', '--norc'];
  return name === 'zsh' ? [shell, '--no-rcs'] : [shell];
}
