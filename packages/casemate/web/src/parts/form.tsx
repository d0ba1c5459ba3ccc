import type { ComponentChildren, JSX } from "preact"
import type { Task } from "../hooks/use-task.js"
import { Problem } from "./notice.js"

interface FormProps {
  readonly task: Task
  readonly onSend: () => Promise<void>
  readonly children: ComponentChildren
}

/** Fields with what sends them; what went wrong stands below. */
export function Form({ task, onSend, children }: FormProps): JSX.Element {
  return (
    <form
      class="stack"
      onSubmit={(event) => {
        event.preventDefault()
        task.run(onSend)
      }}
    >
      {children}
      <Problem text={task.error} />
    </form>
  )
}
