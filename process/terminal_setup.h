// The pseudo-terminal that a child gets with Stdio::Pty, as it is at its start.
//
//   UseTerminal(&command, {.rows = 50, .columns = 132});
#ifndef TROUPE_PROCESS_TERMINAL_SETUP_H_
#define TROUPE_PROCESS_TERMINAL_SETUP_H_

namespace troupe {

struct TerminalSetup {
  // In characters. 0 means "not known" to programs that ask.
  unsigned short rows = 24;
  unsigned short columns = 80;

  // What is written to the child comes back among its output, as with a
  // keyboard.
  bool echo = true;

  // Bytes pass as they are, in both directions: no lines, no Ctrl keys, no
  // echo, no "\r\n" for "\n".
  bool raw = false;

  friend bool operator==(const TerminalSetup&, const TerminalSetup&) = default;
};

}  // namespace troupe

#endif  // TROUPE_PROCESS_TERMINAL_SETUP_H_
