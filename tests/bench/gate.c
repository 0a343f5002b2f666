/* gate: see gate.h. */
#include "tests/bench/gate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/owned.h"
#include "tests/bench/jail-rows.h"
#include "tests/bench/peers.h"
#include "tests/bench/spawn.h"

#define GATE_SECONDS 200

/* A project of N files, a tenth of them tests, with a patch of one line; the tests say their results as TAP. */
static const char project[] =
        "project() {"
        " mkdir -p \"$1/src\" \"$1/tests\"; cd \"$1\"; i=0;"
        " while [ $i -lt $2 ]; do d=$((i/100)); [ $((i%10)) = 0 ] && d=tests/$d || d=src/$d;"
        "  [ -d $d ] || mkdir -p $d; echo \"int f$i(void) { return $i; }\" > $d/f$i.c;"
        "  i=$((i+1)); done;"
        " tar -cf ../$1.tar *; git init -q .; git add .;"
        " git -c user.name=b -c user.email=b@localhost commit -qm base;"
        " echo 'int g;' >> src/0/f7.c; git diff > ../$1.patch; cd ..; };"
        "cd \"$1\"; project small 1000; project large 50000;";

/* Ten functions, and a patch that mends each and brings a test that needs all of them. */
static const char proof_script[] =
        "cd \"$1\"; mkdir -p proof/src proof/tests; cd proof;"
        "for i in 0 1 2 3 4 5 6 7 8 9; do echo wrong > src/f$i; done;"
        "printf 'echo ok 1 - old\\necho 1..1\\n' > tests/old.t; cp -a . ../proof.new;"
        "tar -cf ../proof.tar *; git init -q .; git add .;"
        "git -c user.name=b -c user.email=b@localhost commit -qm base;"
        "for i in 0 1 2 3 4 5 6 7 8 9; do echo right > src/f$i; done;"
        "printf 'for i in 0 1 2 3 4 5 6 7 8 9; do " BUSYBOX
        " grep -q right src/f$i && echo ok $i - new$i"
        " || echo not ok $i - new$i; done\\n' > tests/new.t;"
        "git add -N .; git diff > ../proof.patch";

/* The places of warder-files: the base, the tree with the change (as an overlay shows it), and what changed alone. */
static const char places[] =
        "cd \"$1\"; mkdir -p diff/old diff/new diff/upper/work/src/0 apply/old apply/tree "
        "apply/out;"
        "cp -a small apply/git; cd small; git checkout -q .; cp -a . ../diff/old/work; cd ..;"
        "rm -rf diff/old/work/.git; cp -a diff/old/work diff/new/work;"
        "cp -a diff/old/work apply/old/work; cp -a diff/old/work apply/tree/work;"
        "cd diff/new/work; git apply ../../../small.patch; cp src/0/f7.c ../../upper/work/src/0/;"
        "cd ../../../small; git apply ../small.patch; git update-index -q --refresh || true;"
        "cd ../apply/git; git checkout -q .";

static int input(const Bench *bench, const char *name, Error *err) {
        char path[128];
        int fd;

        (void) snprintf(path, sizeof(path), "%s/%s", bench->dir, name);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        return fd < 0 ? error_set(err, -errno, "open %s", path) : fd;
}

typedef struct Turn {
        const char *project;
        const char *name;    /* of the base: digits; NULL: it has none, and is taken in each time */
        const char *members; /* of the spec, besides its command */
        const char *run;
} Turn;

#define TURN_TRUE "\"" BUSYBOX "\",\"printf\",\"ok 1 - a\\\\n1..1\\\\n\""
#define PROTECT   "\"protect\":[\"tests/**\",\"Makefile\",\"**/*_test.go\"]"

static int verify(Bench *bench, const Turn *turn, Error *err) {
        SCOPED(json_free) cJSON *result = NULL;
        autoclose int base = -EBADF, patch = -EBADF;
        char file[32], params[1024], name[128] = "";
        int fds[2], r;

        (void) snprintf(file, sizeof(file), "%s.tar", turn->project);
        base = input(bench, file, err);
        (void) snprintf(file, sizeof(file), "%s.patch", turn->project);
        patch = base < 0 ? base : input(bench, file, err);
        if (patch < 0)
                return patch;
        if (turn->name)
                (void) snprintf(name, sizeof(name), "\"base\":\"sha256:%064d\",", atoi(turn->name));
        (void) snprintf(
                params, sizeof(params),
                "{%s\"spec\":{\"warder\":\"verify/1\",%s\"commands\":[{\"id\":\"t\",\"run\":[%s],"
                "\"parse\":\"tap\"}]," PROTECT "}}",
                name, turn->members, turn->run);
        fds[0] = base;
        fds[1] = patch;
        r = bench_call(&bench->with, "verify.run", params, fds, 2, &result, err);
        if (r < 0)
                return r;
        if (strcmp(json_text(result, "verdict") ? json_text(result, "verdict") : "", "passed") == 0)
                return 0;
        return error_say(err, -EIO, "the verdict is no \"passed\": %.200s",
                         json_text(result, "reason") ? json_text(result, "reason") : "no reason");
}

/* What a verify's command takes where nobody judges it: a jail made for it, its output kept, the jail gone */
static int command(Bench *bench, Error *err) {
        static const char params[] =
                "{\"snapshot\":\"host\",\"policy\":\"ci\",\"exec\":{\"argv\":[" TURN_TRUE
                "],\"stdio\":[\"null\",\"capture\",\"capture\"]}}";
        SCOPED(json_free) cJSON *result = NULL;
        int r = bench_call(&bench->with, "jail.create", params, NULL, 0, &result, err);

        return r < 0 ? r : bench_check_exited(json_get(result, "command"), err);
}

static int turn_small(Bench *bench, Error *err) {
        return verify(bench, &(Turn){ "small", "1", "", TURN_TRUE }, err);
}

static int turn_large(Bench *bench, Error *err) {
        return verify(bench, &(Turn){ "large", "2", "", TURN_TRUE }, err);
}

static int first(Bench *bench, Error *err) {
        return verify(bench, &(Turn){ "small", NULL, "", TURN_TRUE }, err);
}

#define ALL_TESTS "\"" BUSYBOX "\",\"sh\",\"-c\",\"for t in tests/*.t; do " BUSYBOX " sh $t; done\""

static int proof(Bench *bench, Error *err) {
        return verify(bench, &(Turn){ "proof", "3", "\"tdd\":true,", ALL_TESTS }, err);
}

static int proof_alone(Bench *bench, Error *err) {
        return verify(bench, &(Turn){ "proof", "3", "\"tdd\":{\"jobs\":1},", ALL_TESTS }, err);
}

/* ---- beside git ---------------------------------------------------------------------------------- */

/* All four by a shell, as warder-files says its records on descriptor 2 and takes a listing on 1. */
static int git_diff(Bench *bench, Error *err) {
        return spawn_shell("exec git -C \"$1/small\" diff --binary --full-index", bench->dir, err);
}

static int diff(Bench *bench, Error *err) {
        char script[512];

        (void) snprintf(script, sizeof(script),
                        "exec \"%s/sandbox/files/warder-files\" diff --root \"$1/diff\" work "
                        "2>/dev/null",
                        bench->libexec);
        return spawn_shell(script, bench->dir, err);
}

static int back(Bench *bench, Error *err) {
        static const char script[] =
                "cd \"$1\"/apply; cp -a old/work/src/0/f7.c tree/work/src/0/f7.c;"
                "cp -a old/work/src/0/f7.c git/src/0/f7.c";

        return spawn_shell(script, bench->dir, err);
}

static int git_apply(Bench *bench, Error *err) {
        return spawn_shell("exec git -C \"$1/apply/git\" apply \"$1/small.patch\"", bench->dir,
                           err);
}

static int apply(Bench *bench, Error *err) {
        char script[512];

        (void) snprintf(
                script, sizeof(script),
                "exec \"%s/sandbox/files/warder-files\" apply --root \"$1/apply\" --shielded "
                "--protect 'tests/**' work <\"$1/small.patch\" 1<\"$1/listing\" 2>/dev/null",
                bench->libexec);
        return spawn_shell(script, bench->dir, err);
}

static int make_shield(Bench *bench, Error *err) {
        char script[512];

        (void) snprintf(script, sizeof(script),
                        "\"%s/sandbox/files/warder-files\" shield --root \"$1/apply\" "
                        "--protect 'tests/**' work >\"$1/listing\" 2>/dev/null;"
                        "cp -a \"$1/apply/out/work/.\" \"$1/apply/tree/work/\"",
                        bench->libexec);
        return spawn_shell(script, bench->dir, err);
}

int gate_prepare(Bench *bench, Error *err) {
        int r = spawn_shell(project, bench->dir, err);

        if (r >= 0)
                r = spawn_shell(proof_script, bench->dir, err);
        if (r >= 0)
                r = spawn_shell(places, bench->dir, err);
        return r < 0 ? r : make_shield(bench, err);
}

static Row rows[] = {
        { .name = "posix_spawn of a static binary", .run = peer_spawn },
        { .name = "the command of the next two rows, in a jail, not judged", .run = command },
        { .name = "one verify turn, 1,000 files", .run = turn_small },
        { .name = "one verify turn, 50,000 files", .run = turn_large },
        { .name = "a base of 1,000 files taken in, and its first turn", .run = first, .every = 10 },
        { .name = "ten hunks proved, one after the other", .run = proof_alone, .every = 10 },
        { .name = "ten hunks proved, side by side", .run = proof, .every = 10 },
        { .name = "git diff, 1,000 files, one changed", .run = git_diff, .program = "git" },
        { .name = "warder-files diff, the same", .run = diff },
        { .name = "git apply, 1,000 files, one changed",
          .run = git_apply,
          .before = back,
          .program = "git" },
        { .name = "warder-files apply, the same, with the tree's digest",
          .run = apply,
          .before = back },
};

void gate_run(Bench *bench, unsigned rounds) {
        rounds_run(bench, "work of the gate", rows, ELEMENTS(rows), rounds, GATE_SECONDS);
}
