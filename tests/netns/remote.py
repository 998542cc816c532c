"""Stands in for sshd and ssh between the hosts of this test: one command a connection, over TCP.

remote.py serve NAME HOSTS TMPDIR   becomes the first process of a host
remote.py [options] HOST COMMAND... runs COMMAND there: what Open MPI calls in place of ssh
"""
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading

PORT = 2222


def receive(connection):
    text = b''.join(iter(lambda: connection.recv(65536), b''))
    return json.loads(text) if text else None


def answer(connection):
    """What a daemon leaves open does not hold up the answer: output goes to a file."""
    with connection, tempfile.TemporaryFile() as out:
        command = receive(connection)
        p = subprocess.Popen(['sh', '-c', command], stdin=subprocess.DEVNULL, stdout=out,
                             stderr=subprocess.STDOUT, start_new_session=True)
        code = p.wait()
        out.seek(0)
        connection.sendall(json.dumps([code, out.read().decode(errors='replace')]).encode())


def serve(name, hosts, scratch):
    socket.sethostname(name)
    subprocess.run(['mount', '-t', 'tmpfs', 'tmpfs', '/dev/shm'], check=True)
    subprocess.run(['mount', '--bind', hosts, '/etc/hosts'], check=True)
    subprocess.run(['ip', 'link', 'set', 'lo', 'up'], check=True)
    os.makedirs(scratch, exist_ok=True)
    os.environ.update(TMPDIR=scratch, HOSTNAME=name)
    if os.fork():
        while True:  # the first process of a host buries those that lost their parents
            os.wait()
    listener = socket.create_server(('', PORT), backlog=64)
    while True:
        threading.Thread(target=answer, args=(listener.accept()[0],), daemon=True).start()


def call(words):
    while words[0].startswith('-'):
        words.pop(0)
    try:
        with socket.create_connection((words[0], PORT)) as connection:
            connection.sendall(json.dumps(' '.join(words[1:])).encode())
            connection.shutdown(socket.SHUT_WR)
            code, text = receive(connection)
    except OSError as e:
        sys.exit(f'remote: connect to host {words[0]}: {e.strerror or e}')
    sys.stdout.write(text)
    sys.exit(code)


if sys.argv[1] == 'serve':
    serve(*sys.argv[2:])
else:
    call(sys.argv[1:])
