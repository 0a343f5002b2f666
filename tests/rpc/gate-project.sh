# gate-project.sh: a small C project with a bug, its tests (TAP), and patches for it; source it after
# warder-env.sh. "make_project DIR" makes the repository, "patch_of NAME COMMAND…" a patch of what the
# command does to a copy of it, in $scratch/NAME.patch.

make_project() {
        mkdir -p "$1/src" "$1/tests" "$1/.warder"
        cat >"$1/src/sum.c" <<'C'
#include "sum.h"

/* the sum of all numbers of a list */
int sum(const int *numbers, int n) {
        int total = 0;

        for (int i = 1; i < n; i++)
                total += numbers[i];
        return total;
}

int biggest(const int *numbers, int n) {
        int found = numbers[0];

        for (int i = 1; i < n; i++)
                if (numbers[i] > found)
                        found = numbers[i];
        return found;
}
C
        cat >"$1/src/sum.h" <<'C'
#pragma once
int sum(const int *numbers, int n);
int biggest(const int *numbers, int n);
C
        cat >"$1/tests/test.c" <<'C'
#include <stdio.h>
#include "../src/sum.h"

static int run, failed;

static void check(const char *name, int got, int want) {
        run++;
        if (got != want)
                failed++;
        printf("%s %d - %s\n", got == want ? "ok" : "not ok", run, name);
        if (got != want)
                printf("# got %d, want %d\n", got, want);
}

int main(void) {
        const int three[] = { 4, 5, 6 }, one[] = { -7 };

        check("sum_of_three", sum(three, 3), 15);
        check("sum_of_one", sum(one, 1), -7);
        check("sum_of_none", sum(three, 0), 0);
        check("biggest_of_three", biggest(three, 3), 6);
        check("biggest_of_one", biggest(one, 1), -7);
        printf("1..%d\n", run);
        return failed > 0;
}
C
        printf 'all: build/test\n\nbuild/test: src/sum.c src/sum.h tests/test.c\n\tmkdir -p build\n\t$(CC) -Wall -o $@ src/sum.c tests/test.c\n\ncheck: build/test\n\t@./build/test\n' >"$1/Makefile"
        echo '/build/' >"$1/.gitignore"
        cat >"$1/.warder/verify.json" <<'J'
{"warder": "verify/1",
 "commands": [{"id": "build", "run": ["make", "-s"]},
              {"id": "unit", "run": ["make", "-s", "check"], "parse": "tap", "wall": "1m"}],
 "protect": ["tests/**"]}
J
        git -C "$1" init -q -b main
        git -C "$1" add -A
        git -C "$1" -c user.name=t -c user.email=t@example.org commit -q -m 'a project with a bug'
}

patch_of() { # patch_of NAME SHELL-COMMAND: run in a fresh copy of $project
        rm -rf "$scratch/copy"
        git clone -q "$project" "$scratch/copy"
        (cd "$scratch/copy" && sh -ec "$2")
        git -C "$scratch/copy" add -A
        git -C "$scratch/copy" diff --cached --binary >"$scratch/$1.patch"
}

good_edit='sed -i "s/int i = 1; i < n; i++)$/int i = 0; i < n; i++)/" src/sum.c'
wrong_edit='sed -i "s/int total = 0/int total = 4/" src/sum.c'
