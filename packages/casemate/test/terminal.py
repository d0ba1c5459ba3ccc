"""Runs a command on a pseudo-terminal: what comes in is typed, what it shows comes out."""
import os, pty, select, signal, sys

child, terminal = pty.fork()
if child == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
# SIGHUP is what a closed terminal window gives; it is passed on so that a test can close one.
signal.signal(signal.SIGHUP, lambda *_: os.kill(child, signal.SIGHUP))
signal.signal(signal.SIGTERM, lambda *_: os.kill(child, signal.SIGTERM))

sources = [terminal, 0]
while terminal in sources:
    for source in select.select(sources, [], [])[0]:
        try:
            data = os.read(source, 65536)
        except OSError:
            data = b""
        if not data:
            sources.remove(source)
        else:
            os.write(terminal if source == 0 else 1, data)
sys.exit(abs(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])))
