#!/bin/sh
# What must go on working behind the walls: for each toolchain a small project of several files is built and its
# own tests run, in a jail, under each policy that people use for it. The project has one wrong test as well: a
# runner that could not run would not find it.
. "${top_srcdir:-$(dirname "$0")/../..}/tests/warder-env.sh"

need_jails
work=$scratch/work
mkdir "$work"
cd "$work" || exit 1
export PATH="$PATH:/usr/lib/go/bin"

# ---- the projects, each in a directory of its own; its test.sh ends with 0 only where all of it worked

mkdir c cmake python node java go debug
cat >c/sum.h <<'X'
int sum(const int *values, unsigned n);
X
cat >c/sum.c <<'X'
#include "sum.h"
int sum(const int *values, unsigned n) { int all = 0; while (n-- > 0) all += values[n]; return all; }
X
cat >c/test.c <<'X'
#include <pthread.h>
#include <stdio.h>
#include "sum.h"
static void *run(void *arg) { static const int v[] = {1, 2, 3}; *(int *) arg = sum(v, 3); return 0; }
int main(void) {
        pthread_t thread; int got = 0;
        if (pthread_create(&thread, 0, run, &got) || pthread_join(thread, 0)) return 2;
        printf("%s 1 - sum is %d\n", got == WANT ? "ok" : "not ok", got);
        return got != WANT;
}
X
printf 'CFLAGS = -O2 -Wall -pthread\nWANT = 6\ncheck: test\n\t./test\ntest: test.o libsum.a\n\t$(CC) $(CFLAGS) -o $@ test.o libsum.a\nlibsum.a: sum.o\n\t$(AR) rcs $@ sum.o\ntest.o: test.c sum.h\n\t$(CC) $(CFLAGS) -DWANT=$(WANT) -c -o $@ test.c\n' >c/Makefile
echo 'make -s -j4 check && make -s clean-wrong 2>/dev/null; rm -f test test.o && ! make -s check WANT=7' >c/test.sh

cp c/sum.c c/sum.h cmake/
sed 's/WANT/6/g' c/test.c >cmake/test.c
cat >cmake/CMakeLists.txt <<'X'
cmake_minimum_required(VERSION 3.13)
project(sum C)
enable_testing()
find_package(Threads REQUIRED)
add_library(sum STATIC sum.c)
add_executable(check test.c)
target_link_libraries(check sum Threads::Threads)
add_test(NAME right COMMAND check)
add_test(NAME wrong COMMAND ${CMAKE_COMMAND} -E false)
X
echo 'cmake -S . -B out >log && cmake --build out -j 4 >>log && cd out && ctest -R right && ! ctest -R wrong >/dev/null' >cmake/test.sh

mkdir python/shop python/tests
echo 'from .cart import Cart' >python/shop/__init__.py
cat >python/shop/cart.py <<'X'
class Cart:
    def __init__(self):
        self.items = {}
    def add(self, name, price):
        self.items[name] = price
    def total(self):
        return sum(self.items.values())
X
: >python/tests/__init__.py
cat >python/tests/test_cart.py <<'X'
import asyncio, concurrent.futures, multiprocessing, sqlite3, socket, subprocess, sys, tempfile, unittest
from shop import Cart

def double(n):
    return 2 * n

class TestCart(unittest.TestCase):
    def test_total(self):
        cart = Cart(); cart.add("tea", 3); cart.add("milk", 2)
        self.assertEqual(cart.total(), 5)
    def test_processes(self):
        with concurrent.futures.ProcessPoolExecutor(2) as pool:
            self.assertEqual(list(pool.map(double, range(4))), [0, 2, 4, 6])
        self.assertEqual(subprocess.run([sys.executable, "-c", "print(6)"], capture_output=True).stdout, b"6\n")
    def test_lock(self):
        lock = multiprocessing.Lock()
        with lock: pass
    def test_database(self):
        with tempfile.NamedTemporaryFile() as file:
            db = sqlite3.connect(file.name); db.execute("pragma journal_mode=wal"); db.execute("create table t(n)")
            db.execute("insert into t values (4)"); db.commit()
            self.assertEqual(db.execute("select n from t").fetchone(), (4,))
    def test_network(self):
        async def talk():
            async def serve(reader, writer):
                writer.write(await reader.readline()); writer.close()
            server = await asyncio.start_server(serve, "127.0.0.1", 0)
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            writer.write(b"hello\n"); line = await reader.readline(); writer.close(); server.close()
            return line
        self.assertEqual(asyncio.run(talk()), b"hello\n")
X
printf 'import unittest\nclass Wrong(unittest.TestCase):\n    def test(self): self.assertEqual(1, 2)\n' >python/wrong.py
echo 'python3 -m unittest -q && python3 -m compileall -q . && ! python3 -m unittest -q wrong 2>/dev/null' >python/test.sh
echo 'python3 -m pytest -q -p no:cacheprovider tests && ! python3 -m pytest -q wrong.py >/dev/null' >python/pytest.sh

mkdir -p node/lib node/test
printf '{"name": "sum-lib", "version": "1.0.0", "main": "index.js"}\n' >node/lib/package.json
echo 'module.exports = (...all) => all.reduce((a, b) => a + b, 0);' >node/lib/index.js
printf '{"name": "app", "version": "1.0.0", "scripts": {"test": "node --test test/"}, "dependencies": {"sum-lib": "file:lib"}}\n' >node/package.json
cat >node/test/sum.test.js <<'X'
const test = require('node:test'), assert = require('node:assert'), http = require('node:http');
const { Worker } = require('node:worker_threads'), { execFileSync } = require('node:child_process');
const fs = require('node:fs'), sum = require('sum-lib');
test('sum', () => assert.strictEqual(sum(1, 2, 3), 6));
test('a worker', async () => {
  const worker = new Worker("require('worker_threads').parentPort.postMessage(7)", { eval: true });
  assert.strictEqual(await new Promise(resolve => worker.on('message', resolve)), 7);
});
test('a process', () => assert.strictEqual(execFileSync('echo', ['8']).toString(), '8\n'));
test('a server', async () => {
  const server = http.createServer((request, reply) => reply.end('nine'));
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve));
  const text = await (await fetch(`http://127.0.0.1:${server.address().port}/`)).text();
  server.close(); assert.strictEqual(text, 'nine');
});
test('files', async () => {
  await fs.promises.writeFile('out.txt', 'ten'); fs.copyFileSync('out.txt', 'copy.txt');
  assert.strictEqual(fs.readFileSync('copy.txt', 'utf8'), 'ten');
});
X
echo "require('node:test')('wrong', () => { throw new Error('wrong'); });" >node/wrong.js
echo 'npm install --offline --no-audit --no-fund --loglevel=error && npm test --silent >log || { cat log; exit 1; }; ! node --test wrong.js >/dev/null' >node/test.sh

mkdir -p java/src/shop
cat >java/src/shop/Sum.java <<'X'
package shop;
public class Sum { public static int of(int... all) { return java.util.Arrays.stream(all).parallel().sum(); } }
X
cat >java/src/shop/Test.java <<'X'
package shop;
import java.net.*; import java.nio.file.*; import java.util.concurrent.*;
public class Test {
        public static void main(String[] args) throws Exception {
                ExecutorService pool = Executors.newFixedThreadPool(4);
                if (pool.submit(() -> Sum.of(1, 2, 3)).get() != Integer.parseInt(args[0])) System.exit(1);
                pool.shutdown();
                try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                     Socket client = new Socket(server.getInetAddress(), server.getLocalPort())) {
                        client.getOutputStream().write(5);
                        if (server.accept().getInputStream().read() != 5) System.exit(2);
                }
                Path file = Files.createTempFile("warder", ".txt"); Files.writeString(file, "six");
                if (new ProcessBuilder("cat", file.toString()).start().waitFor() != 0) System.exit(3);
                System.gc(); System.out.println("ok");
        }
}
X
echo 'javac -d out src/shop/*.java && jar cf app.jar -C out . && java -cp app.jar shop.Test 6 && ! java -cp app.jar shop.Test 7' >java/test.sh

mkdir go/sum
printf 'module example.org/app\n\ngo 1.18\n' >go/go.mod
printf 'package sum\n\nfunc Of(all ...int) (n int) {\n\tfor _, one := range all {\n\t\tn += one\n\t}\n\treturn n\n}\n' >go/sum/sum.go
cat >go/sum/sum_test.go <<'X'
package sum

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"testing"
)

func TestOf(t *testing.T) {
	got := make(chan int)
	for i := 0; i < 8; i++ {
		go func() { got <- Of(1, 2, 3) }()
	}
	for i := 0; i < 8; i++ {
		if n := <-got; n != 6 {
			t.Fatalf("%d", n)
		}
	}
}

func TestServer(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "nine") }))
	defer server.Close()
	reply, err := http.Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	if text, _ := io.ReadAll(reply.Body); string(text) != "nine" {
		t.Fatal(string(text))
	}
}

func TestProcess(t *testing.T) {
	if out, err := exec.Command("echo", "8").Output(); err != nil || string(out) != "8\n" {
		t.Fatal(err)
	}
}
X
printf '//go:build wrong\n\npackage sum\n\nimport "testing"\n\nfunc TestWrong(t *testing.T) { t.Fatal("wrong") }\n' >go/sum/wrong_test.go
printf 'package main\n\nimport "example.org/app/sum"\n\nfunc main() { println(sum.Of(1, 2)) }\n' >go/main.go
echo 'export HOME=/tmp GOCACHE=/tmp/cache GOFLAGS=-mod=mod GOPROXY=off GOTOOLCHAIN=local; go build -o app . && ./app && go vet ./... && go test ./... && ! go test -tags wrong ./sum >wrong.log && grep -q "FAIL: TestWrong" wrong.log' >go/test.sh

cat >debug/bug.c <<'X'
#include <stdlib.h>
#include <string.h>
static int inner(int n) { return n * 7; }
static int outer(int n) { return inner(n + 1); }
static void leak(void) { void *volatile lost = malloc(123); memset(lost, 0, 123); lost = NULL; }
int main(int argc, char **argv) { (void) argv; if (argc > 1) leak(); return outer(argc) == 14 ? 0 : 1; }
X
cat >debug/gdb.sh <<'X'
gcc -g -O0 -o bug bug.c && gdb -q -batch -nx -ex 'break inner' -ex run -ex backtrace -ex 'print n' -ex 'set variable n = 3' -ex finish ./bug >log 2>&1
grep -q '#1 .*outer' log && grep -q '#2 .*main' log && grep -q '= 2$' log && grep -q 'Value returned.*21' log || { cat log; exit 1; }
X
cat >debug/strace.sh <<'X'
gcc -g -o bug bug.c && strace -f -o log sh -c './bug; cat bug.c >/dev/null' && grep -q 'openat(.*"bug.c"' log && grep -q 'exited with 0' log
X
cat >debug/leak.sh <<'X'
gcc -g -fsanitize=address -o bug bug.c && ./bug && ! ./bug leak 2>log && grep -q '123 byte(s) leaked' log || { cat log; exit 1; }
X

# ---- the runs

# builds PROJECT TOOL SCRIPT POLICY…: the project of that folder, where TOOL is there
builds() {
        project=$1 tool=$2 script=$3
        shift 3
        for policy in "$@"; do
                if ! command -v "$tool" >/dev/null; then
                        tests_run=$((tests_run + 1))
                        echo "ok $tests_run - $project/$script under $policy # SKIP $tool is not installed"
                        continue
                fi
                expect 0 "$project/$script works under $policy" warder run --policy "$policy" -- \
                        sh -c "cd $project && . ./$script"
        done
}

# strict as it is refuses the host's root: here all of it but that, the limits of a compiler's size
cp -r "$WARDER_POLICIES" "$scratch/policies"
WARDER_POLICIES=$scratch/policies
cat >"$WARDER_POLICIES/hostile.json" <<'X'
{"warder": "policy/1", "extends": "default", "proc": "pid", "seccomp": "strict"}
X
policies="default ci hostile"
builds c cc test.sh $policies
builds cmake cmake test.sh $policies
builds python /usr/bin/python3 test.sh $policies
if /usr/bin/python3 -c 'import pytest' 2>/dev/null; then
        builds python /usr/bin/python3 pytest.sh $policies
else
        tests_run=$((tests_run + 1))
        echo "ok $tests_run - pytest # SKIP pytest is not installed for /usr/bin/python3"
fi
builds node npm test.sh $policies
builds java javac test.sh $policies
builds go go test.sh $policies
builds debug gdb gdb.sh debug
builds debug strace strace.sh debug
builds debug cc leak.sh debug
if command -v gdb >/dev/null; then
        expect 1 "gdb has no backtrace under default" warder run -- sh -c 'cd debug && . ./gdb.sh'
fi
nothing_left "after the builds"
done_testing
