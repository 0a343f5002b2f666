/*
 * Profiles as container engines write them: all their fields, what is said of what cannot be done, values of
 * 64 bits, the shipped profiles on both architectures, the engines' own where they are installed.
 */
#include "supervisor/front/policy/seccomp-profile.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <seccomp.h>
#include <stdlib.h>

#include "base/fds.h"
#include "base/json.h"
#include "base/owned.h"
#include "base/schema.h"
#include "supervisor/front/policy/seccomp-numbers.h"
#include "tests/tap.h"
#include "tests/unit/bpf.h"

#define X86 AUDIT_ARCH_X86_64
#define ARM AUDIT_ARCH_AARCH64

static struct sock_filter code[BPF_MAXINSNS];
static size_t n_code;
static char notices[8192];
static Error err;

static int load(const char *text, size_t n, uint32_t arch) {
        SeccompFilter filter = SECCOMP_FILTER_EMPTY;
        autofree char *bytes = NULL;
        size_t size = 0;
        int r;

        err = ERROR_EMPTY;
        notices[0] = 0;
        r = seccomp_profile_compile(text, n, arch, &filter, &err);
        if (r < 0)
                return r;
        r = fd_read_all(filter.fd, sizeof code, &bytes, &size);
        if (r >= 0) {
                memcpy(code, bytes, size);
                n_code = size / sizeof *code;
                (void) snprintf(notices, sizeof notices, "%s", filter.notices);
        }
        free(filter.notices);
        (void) close(filter.fd);
        return r;
}

static int load_text(const char *text, uint32_t arch) {
        return load(text, strlen(text), arch);
}

/* What the filter answers to a call, its name looked up on @arch. */
static uint32_t ask(uint32_t arch, const char *name, uint64_t first, uint64_t second) {
        uint32_t library = arch == X86 ? SCMP_ARCH_X86_64 : SCMP_ARCH_AARCH64;
        struct seccomp_data data = { .arch = arch, .args = { first, second } };

        data.nr = seccomp_syscall_resolve_name_arch(library, name);
        return bpf_run(code, n_code, &data);
}

#define ALLOWED       SECCOMP_RET_ALLOW
#define WITH(E)       (SECCOMP_RET_ERRNO | (E))
#define HEAD          "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":["
#define TAIL          "]}"
#define ALLOW(N)      "{\"names\":[\"" N "\"],\"action\":\"SCMP_ACT_ALLOW\""
#define ARG(I, V, OP) "{\"index\":" I ",\"value\":" V ",\"op\":\"SCMP_CMP_" OP "\"}"

/* ---- fields --------------------------------------------------------------------------------------- */

static const char everything[] =
        "{\"defaultAction\": \"SCMP_ACT_ERRNO\", \"defaultErrnoRet\": 1, \"defaultErrno\": "
        "\"ENOSYS\",\n"
        " \"archMap\": [{\"architecture\": \"SCMP_ARCH_X86_64\", \"subArchitectures\": "
        "[\"SCMP_ARCH_X86\"]}, {\"architecture\": \"SCMP_ARCH_AARCH64\", \"subArchitectures\": "
        "[\"SCMP_ARCH_ARM\"]}], // a comment with a \" in it and 12345678901234567890\n"
        " \"flags\": [\"SECCOMP_FILTER_FLAG_LOG\"], \"listenerPath\": \"/run/x.sock\",\n"
        " \"colour\": \"red\", \"syscalls\": [\n"
        "  {\"names\": [\"read\", \"exit\"], \"action\": \"SCMP_ACT_ALLOW\", \"args\": null, "
        "\"comment\": \"c\", \"includes\": {}, \"excludes\": {}},\n"
        "  {\"name\": \"write\", \"action\": \"SCMP_ACT_ALLOW\", \"args\": []},\n"
        "  {\"names\": [\"chdir\"], \"action\": \"SCMP_ACT_ERRNO\", \"errno\": \"EXDEV\", "
        "\"errnoRet\": 1},\n"
        "  {\"names\": [\"fchdir\"], \"action\": \"SCMP_ACT_NOTIFY\"},\n"
        "  {\"names\": [\"getpid\"], \"action\": \"SCMP_ACT_TRACE\", \"errnoRet\": 7},\n"
        "  {\"names\": [\"getuid\"], \"action\": \"SCMP_ACT_TRAP\"},\n"
        "  {\"names\": [\"getgid\"], \"action\": \"SCMP_ACT_LOG\"},\n"
        "  {\"names\": [\"geteuid\"], \"action\": \"SCMP_ACT_KILL\"},\n"
        "  {\"names\": [\"mount\"], \"action\": \"SCMP_ACT_ALLOW\", \"includes\": {\"caps\": "
        "[\"CAP_SYS_ADMIN\"]}},\n"
        "  {\"names\": [\"umount2\"], \"action\": \"SCMP_ACT_ERRNO\", \"errnoRet\": 2, "
        "\"excludes\": {\"caps\": [\"CAP_SYS_ADMIN\"]}},\n"
        "  {\"names\": [\"getppid\"], \"action\": \"SCMP_ACT_ALLOW\", \"includes\": {\"arches\": "
        "[\"arm64\"]}},\n"
        "  {\"names\": [\"gettid\"], \"action\": \"SCMP_ACT_ALLOW\", \"excludes\": {\"arches\": "
        "[\"arm64\", \"s390x\"]}},\n"
        "  {\"names\": [\"dup\"], \"action\": \"SCMP_ACT_ALLOW\", \"includes\": {\"minKernel\": "
        "\"4.8\"}},\n"
        "  {\"names\": [\"dup3\"], \"action\": \"SCMP_ACT_ALLOW\", \"includes\": {\"minKernel\": "
        "\"99.0\"}},\n"
        "  {\"names\": [\"sync\"], \"action\": \"SCMP_ACT_ALLOW\", \"includes\": {\"moon\": "
        "[\"full\"]}},\n"
        "  {\"names\": [\"clone3\", \"no_such_call\"], \"action\": \"SCMP_ACT_ALLOW\"}]}";

static void test_fields(uint32_t arch) {
        bool arm = arch == ARM;

        is_number(load_text(everything, arch), 0, "a profile with every field loads");
        ok(ask(arch, "read", 0, 0) == ALLOWED && ask(arch, "write", 0, 0) == ALLOWED,
           "names and name");
        ok(ask(arch, "getcwd", 0, 0) == WITH(ENOSYS), "defaultErrno wins over its number");
        ok(ask(arch, "chdir", 0, 0) == WITH(EXDEV), "errno wins over its number");
        ok(ask(arch, "fchdir", 0, 0) == WITH(ENOSYS), "NOTIFY answers ENOSYS");
        ok(ask(arch, "getpid", 0, 0) == WITH(ENOSYS),
           "TRACE answers ENOSYS, whatever its errnoRet");
        ok(ask(arch, "getuid", 0, 0) == SECCOMP_RET_TRAP, "TRAP");
        ok(ask(arch, "getgid", 0, 0) == SECCOMP_RET_LOG, "LOG");
        ok(ask(arch, "geteuid", 0, 0) == SECCOMP_RET_KILL_PROCESS, "KILL");
        ok(ask(arch, "mount", 0, 0) == WITH(ENOSYS), "a rule for a capability does not apply");
        ok(ask(arch, "umount2", 0, 0) == WITH(2), "one for those without it does");
        ok((ask(arch, "getppid", 0, 0) == ALLOWED) == arm, "includes arches");
        ok((ask(arch, "gettid", 0, 0) == ALLOWED) == !arm, "excludes arches");
        ok(ask(arch, "dup", 0, 0) == ALLOWED && ask(arch, "dup3", 0, 0) == WITH(ENOSYS),
           "minKernel");
        ok(ask(arch, "sync", 0, 0) == WITH(ENOSYS), "an allowance on an unknown condition is none");
        has_text(notices, "field \"colour\" is not known", "an unknown field is said");
        has_text(notices, "field \"moon\" is not known", "an unknown condition is said");
        has_text(notices, "SCMP_ACT_NOTIFY: answers ENOSYS", "NOTIFY is said");
        has_text(notices, "SCMP_ACT_TRACE: answers ENOSYS", "TRACE is said");
        has_text(notices, "SCMP_ACT_KILL: ends the whole process", "KILL of a thread is said");
        has_text(notices, "flags: SECCOMP_FILTER_FLAG_LOG is not set", "a flag is said");
        has_text(notices, "listenerPath: nobody listens", "a listener is said");
        has_text(notices, "architectures: calls of any but", "other architectures are said");
        has_text(notices, "1 rules are for capabilities", "rules for capabilities are said");
        has_text(notices, "1 rules are for other architectures", "rules for others are said");
        has_text(notices, "clone3: answers ENOSYS", "clone3 is said");
        has_text(notices, "calls that are not known here: no_such_call", "an unknown call is said");
}

/* ---- arguments ------------------------------------------------------------------------------------ */

static void test_values(void) {
        is_number(
                load_text(HEAD ALLOW("mmap") ",\"args\":[" ARG("0", "18446744073709551615", "EQ") "]}," ALLOW(
                                  "lseek") ",\"args\":[" ARG("1", "9007199254740993",
                                                             "EQ") "]}," ALLOW("kill") ",\"args\":"
                                                                                       "[" ARG("0",
                                                                                               "-1",
                                                                                               "EQ") "]}" TAIL,
                          X86),
                0, "values of 64 bits load");
        ok(ask(X86, "mmap", UINT64_MAX, 0) == ALLOWED &&
                   ask(X86, "mmap", UINT64_MAX - 1, 0) != ALLOWED,
           "2^64-1 is not rounded");
        ok(ask(X86, "lseek", 0, 9007199254740993) == ALLOWED &&
                   ask(X86, "lseek", 0, 9007199254740992) != ALLOWED,
           "2^53+1 is not rounded");
        ok(ask(X86, "kill", UINT32_MAX, 0) == ALLOWED && ask(X86, "kill", UINT64_MAX, 0) == ALLOWED,
           "-1 is that of an int");
}

/* Both directions: an allowance that garbage would widen, a refusal that garbage would miss. */
static void test_cut(uint32_t arch) {
        const uint64_t high = UINT64_C(5) << 32;

        is_number(
                load_text(
                        HEAD ALLOW("socket") ",\"args\":[" ARG("0", "16", "NE") "]}," ALLOW(
                                "pers"
                                "onal"
                                "ity") ",\"args\":[" ARG("0", "8",
                                                         "EQ") "]}," ALLOW("ioctl") "},{\"names\":["
                                                                                    "\"ioctl\"],"
                                                                                    "\"action\":"
                                                                                    "\"SCMP_ACT_"
                                                                                    "ERRNO\","
                                                                                    "\"errnoRet\":"
                                                                                    "5,\"args\":"
                                                                                    "[" ARG("1", "21522", "EQ") "]}," ALLOW(
                                                                                            "mmap") ",\"args\":"
                                                                                                    "[" ARG("1",
                                                                                                            "409"
                                                                                                            "6",
                                                                                                            "NE") "]}" TAIL,
                        arch),
                0, "conditions on ints load");
        ok(ask(arch, "socket", 16, 0) == WITH(1) && ask(arch, "socket", 16 | high, 0) == WITH(1),
           "all but 16: not 16 with a high bit either");
        ok(ask(arch, "personality", 8 | high, 0) == ALLOWED,
           "8 and garbage is the 8 that is allowed");
        ok(ask(arch, "ioctl", 0, 21522) == WITH(5) &&
                   ask(arch, "ioctl", 0, 21522 | high) == WITH(5),
           "one command refused beside an allowed call, garbage or not");
        ok(ask(arch, "ioctl", 21522, 0) == ALLOWED, "other commands are allowed");
        ok(ask(arch, "mmap", 0, 4096) == WITH(1) && ask(arch, "mmap", 0, 4096 | high) == ALLOWED,
           "a length is 64 bits, and all count");
}

static void test_repeated(void) {
        is_number(load_text(HEAD ALLOW("fcntl") ",\"args\":[" ARG("1", "1", "EQ") "," ARG(
                                    "1", "2", "EQ") "]}" TAIL,
                            X86),
                  0, "one argument tested twice loads");
        ok(ask(X86, "fcntl", 0, 1) == ALLOWED && ask(X86, "fcntl", 0, 2) == ALLOWED &&
                   ask(X86, "fcntl", 0, 3) == WITH(1),
           "any of its tests counts");
        has_text(notices, "fcntl: a rule tests one argument twice", "and is said");
}

static const struct {
        const char *text, *part;
} bad[] = {
        { "", "ends too early" },
        { "[]", "defaultAction" },
        { "{\"defaultAction\":\"SCMP_ACT_ALLOW\"}", "default must refuse" },
        { "{\"defaultAction\":\"SCMP_ACT_LOG\"}", "default must refuse" },
        { "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":99999}", "defaultErrnoRet" },
        { "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrno\":\"EMOON\"}", "EMOON" },
        { "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":{}}", "syscalls is no list" },
        { HEAD "{\"action\":\"SCMP_ACT_ALLOW\"}" TAIL, "/syscalls/0" },
        { HEAD ALLOW("read") "}," ALLOW("read") ",\"args\":{}}" TAIL, "/syscalls/1" },
        { HEAD ALLOW("read") ",\"args\":[" ARG("6", "1", "EQ") "]}" TAIL, "index up to 5" },
        { HEAD ALLOW("read") ",\"args\":[" ARG("0", "18446744073709551616", "EQ") "]}" TAIL,
          "64 bits" },
        { HEAD ALLOW("read") ",\"args\":[" ARG("0", "1.5", "EQ") "]}" TAIL, "64 bits" },
        { HEAD ALLOW("read") ",\"args\":[" ARG("0", "1", "ABOUT") "]}" TAIL, "SCMP_CMP_ABOUT" },
        { HEAD "{\"names\":[7],\"action\":\"SCMP_ACT_ALLOW\"}" TAIL, "no string" },
};

static void test_bad(void) {
        for (unsigned i = 0; i < ELEMENTS(bad); i++) {
                ok(load_text(bad[i].text, X86) == -EINVAL, "refused: %s", bad[i].text);
                has_text(err.text, bad[i].part, "and the reason names it");
        }
}

/* ---- files ---------------------------------------------------------------------------------------- */

static int read_file(const char *path, char **ret, size_t *n) {
        autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);

        return fd < 0 ? -errno : fd_read_all(fd, 1 << 20, ret, n);
}

static void test_shipped(const char *name) {
        static const char *const never[] = { "mount", "bpf", "setns", "keyctl", "init_module" };
        const char *top = getenv("top_srcdir");
        autofree char *text = NULL;
        char path[4096];
        size_t n = 0;

        (void) snprintf(path, sizeof path, "%s/policies/seccomp/%s.json", top ? top : ".", name);
        ok(read_file(path, &text, &n) == 0, "%s is there", name);
        for (unsigned arm = 0; text && arm < 2; arm++) {
                uint32_t arch = arm ? ARM : X86;
                bool good = load(text, n, arch) == 0;

                ok(good && notices[0] == 0, "%s: loads as it is written, arm %u: %s", name, arm,
                   notices);
                for (unsigned i = 0; i < ELEMENTS(never); i++)
                        good = good && ask(arch, never[i], 0, 0) == WITH(1);
                ok(good && ask(arch, "openat", 0, 0) == ALLOWED &&
                           ask(arch, "clone", 17, 0) == ALLOWED &&
                           ask(arch, "clone", 0x10000000, 0) == WITH(1),
                   "%s: what it allows and what not, arm %u", name, arm);
                ok((ask(arch, "ptrace", 0, 0) == ALLOWED) == (strcmp(name, "debug") == 0) &&
                           (ask(arch, "futex", 0, 12 | 128) == ALLOWED) ==
                                   (strcmp(name, "strict") != 0) &&
                           ask(arch, "futex", 0, 4 | 128) == ALLOWED,
                   "%s: ptrace and futexes, arm %u", name, arm);
        }
}

static void test_schema(void) {
        const char *top = getenv("top_srcdir");
        SCOPED(json_free) cJSON *schema = NULL, *json = NULL;
        autofree char *text = NULL, *quoted = NULL;
        SchemaFault fault = { 0 };
        char path[4096];
        size_t n = 0, n_quoted = 0;

        (void) snprintf(path, sizeof path, "%s/policies/schema/seccomp.json", top ? top : ".");
        ok(read_file(path, &text, &n) == 0 &&
                   json_parse(text, n, JSON_COMMENTS, &schema, &err) == 0,
           "the schema reads");
        ok(seccomp_numbers_quote(everything, strlen(everything), &quoted, &n_quoted, NULL) == 0 &&
                   json_parse(quoted, n_quoted, JSON_COMMENTS, &json, &err) == 0 && schema &&
                   schema_check(schema, json, &fault) == 0,
           "and takes the profile with every field: %s %s", fault.path, fault.text);
        json_free(json);
        json = NULL;
        ok(json_parse("{\"defaultAction\":\"x\"}", 21, 0, &json, NULL) == 0 && schema &&
                   schema_check(schema, json, &fault) != 0,
           "and refuses an unknown action");
}

static void test_engines(void) {
        static const char *const paths[] = { "/usr/share/containers/seccomp.json",
                                             "/etc/containers/seccomp.json",
                                             "/etc/docker/seccomp.json" };
        const char *given = getenv("WARDER_SECCOMP_PROFILE");

        for (unsigned i = 0; i < ELEMENTS(paths) + 1; i++) {
                const char *path = i < ELEMENTS(paths) ? paths[i] : given;
                autofree char *text = NULL;
                size_t n = 0;

                if (!path || read_file(path, &text, &n) < 0) {
                        tap_skip("an engine's own profile", path ? path : "WARDER_SECCOMP_PROFILE");
                        continue;
                }
                ok(load(text, n, X86) == 0 && ask(X86, "read", 0, 0) == ALLOWED &&
                           ask(X86, "kexec_load", 0, 0) != ALLOWED,
                   "%s: %s", path, err.text);
                ok(load(text, n, ARM) == 0 && ask(ARM, "read", 0, 0) == ALLOWED, "%s, aarch64",
                   path);
        }
}

int main(void) {
        test_fields(X86);
        test_fields(ARM);
        test_values();
        test_cut(X86);
        test_cut(ARM);
        test_repeated();
        test_bad();
        test_shipped("default");
        test_shipped("debug");
        test_shipped("strict");
        test_schema();
        test_engines();
        return tap_end();
}
