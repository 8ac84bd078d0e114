// safe-test's plugin for OpenCode 1: asks `safe-test hook` about each command of the shell before it runs.
import { spawn } from "node:child_process"

const MISSING =
  "safe-test: this plugin does not find safe-test on PATH, so the command was not run\n" +
  "  hint: tell the person who asked; cargo install --path FOLDER, where FOLDER is a clone of its repository"

// Gives why the command is stopped; nothing where it may run.
function asked(payload, folder) {
  return new Promise((resolve) => {
    const hook = spawn("safe-test", ["hook", "--agent", "opencode"], { cwd: folder })
    let said = ""
    hook.on("error", () => resolve(MISSING))
    hook.stderr.on("data", (piece) => (said += piece))
    hook.stdout.resume()
    hook.stdin.on("error", () => {})
    hook.on("close", (status) => resolve(status === 2 ? said.trim() || "safe-test: stopped" : undefined))
    hook.stdin.end(JSON.stringify(payload))
  })
}

export const SafeTest = async ({ directory }) => ({
  "tool.execute.before": async (input, output) => {
    if (input.tool !== "bash") return
    const why = await asked(
      {
        hook_event_name: "tool.execute.before",
        session_id: input.sessionID,
        cwd: output.args.workdir || directory,
        tool_name: "bash",
        tool_input: { command: output.args.command },
      },
      directory,
    )
    if (why) throw new Error(why)
  },
})
