/*
 * network: see network.h. A datagram socket that is connected sends nothing: that there is a route is enough.
 */
#include "cli/probe/network.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/owned.h"

#define X32_BIT     0x40000000
#define I386_GETPID 20

static void connected(int r, Finding *ret) {
        if (r < 0)
                finding_refused(ret, WALL_NAMESPACE, errno);
        else
                finding_through(ret, "connected");
}

/* args[0]: the port */
static void reach_address(const Probe *probe, const ProbeFacts *facts, Finding *ret) {
        struct sockaddr_in six_or_four = { .sin_family = AF_INET,
                                           .sin_port = htons((uint16_t) probe->args[0]) };
        autoclose int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

        (void) facts;
        (void) inet_pton(AF_INET, probe->path, &six_or_four.sin_addr);
        connected(fd < 0 ? -1
                         : connect(fd, (const struct sockaddr *) &six_or_four, sizeof(six_or_four)),
                  ret);
}

static void reach_six(const Probe *probe, const ProbeFacts *facts, Finding *ret) {
        struct sockaddr_in6 to = { .sin6_family = AF_INET6,
                                   .sin6_port = htons((uint16_t) probe->args[0]) };
        autoclose int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

        (void) facts;
        (void) inet_pton(AF_INET6, probe->path, &to.sin6_addr);
        connected(fd < 0 ? -1 : connect(fd, (const struct sockaddr *) &to, sizeof(to)), ret);
}

static void reach_host_port(const Probe *probe, const ProbeFacts *facts, Finding *ret) {
        struct sockaddr_in to = { .sin_family = AF_INET,
                                  .sin_port = htons((uint16_t) facts->host_port),
                                  .sin_addr = { htonl(INADDR_LOOPBACK) } };
        autoclose int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        (void) probe;
        if (!facts->host_port)
                finding_not_tried(ret, "no port of the host was named");
        else
                connected(fd < 0 ? -1 : connect(fd, (const struct sockaddr *) &to, sizeof(to)),
                          ret);
}

static void reach_host_abstract(const Probe *probe, const ProbeFacts *facts, Finding *ret) {
        struct sockaddr_un to = { .sun_family = AF_UNIX };
        autoclose int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        size_t n = facts->host_abstract ? strlen(facts->host_abstract) : 0;

        (void) probe;
        if (n == 0 || n + 1 > sizeof(to.sun_path)) {
                finding_not_tried(ret, "no socket of the host was named");
                return;
        }
        memcpy(to.sun_path + 1, facts->host_abstract, n);
        connected(fd < 0 ? -1
                         : connect(fd, (const struct sockaddr *) &to,
                                   (socklen_t) (offsetof(struct sockaddr_un, sun_path) + 1 + n)),
                  ret);
}

/* Two lines of heading, then one an interface */
static void find_interface(const Probe *probe, const ProbeFacts *facts, Finding *ret) {
        char line[256], name[FINDING_TEXT_MAX];
        FILE *file = fopen(probe->path, "re");

        (void) facts;
        finding_held(ret, WALL_NAMESPACE, 0, "only lo");
        for (unsigned i = 0; file && fgets(line, sizeof(line), file); i++)
                if (i >= 2 && sscanf(line, " %80[^:]", name) == 1 && strcmp(name, "lo") != 0)
                        finding_through(ret, name);
        if (file)
                (void) fclose(file);
        else
                finding_refused(ret, WALL_NONE, errno);
}

/* Segments of whoever; the jail's own commands have made none */
static void find_shared_memory(const Probe *probe, const ProbeFacts *facts, Finding *ret) {
        struct shm_info info;
        int r = shmctl(0, SHM_INFO, (struct shmid_ds *) (void *) &info);

        (void) probe;
        (void) facts;
        if (r < 0)
                finding_refused(ret, WALL_NONE, errno);
        else if (info.used_ids > 0)
                finding_through(ret, "there are segments of others");
        else
                finding_held(ret, WALL_NAMESPACE, 0, "there are none");
}

/* ---- foreign ABIs: a filter for one does not see the calls of another ---------------------------- */

/* @child made the call and left 0 where it was answered with a number; a filter kills it */
static void judge_child(pid_t child, Finding *ret) {
        int status = 0;

        if (child < 0 || waitpid(child, &status, 0) != child)
                finding_not_tried(ret, "no process could be made for it");
        else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
                finding_held(ret, WALL_FILTER, 0, "SIGSYS");
        else if (WIFSIGNALED(status) || WEXITSTATUS(status) != 0)
                finding_held(ret, WALL_ABSENT, 0, "the kernel does not take such calls");
        else
                finding_through(ret, "the call was made");
}

#ifdef __x86_64__

static void call_x32(const Probe *probe, const ProbeFacts *facts, Finding *ret) {
        pid_t child = fork();

        (void) probe;
        (void) facts;
        if (child == 0)
                _exit(syscall(X32_BIT | SYS_getpid) < 0);
        judge_child(child, ret);
}

static void call_i386(const Probe *probe, const ProbeFacts *facts, Finding *ret) {
        pid_t child = fork();
        long r = I386_GETPID;

        (void) probe;
        (void) facts;
        if (child == 0) {
                __asm__ volatile("int $0x80" : "+a"(r) : : "memory", "r8", "r9", "r10", "r11");
                _exit((int) r < 0);
        }
        judge_child(child, ret);
}

#else

static void call_x32(const Probe *probe, const ProbeFacts *facts, Finding *ret) {
        (void) probe;
        (void) facts;
        finding_not_tried(ret, "only x86_64 has this ABI");
}

static void call_i386(const Probe *probe, const ProbeFacts *facts, Finding *ret) {
        call_x32(probe, facts, ret);
}

#endif

#define ROW(NAME, TRIED, RUN, ...) \
        { .name = NAME, .tried = TRIED, .run = RUN, __VA_ARGS__ }

const Probe network_probes[] = {
        ROW("route", "a way to the internet", reach_address, .path = "198.51.100.1",
            .args = { 443 }),
        ROW("route-dns", "a way to a public name server", reach_address, .path = "8.8.8.8",
            .args = { 53 }),
        ROW("route-metadata", "a cloud's metadata service", reach_address,
            .path = "169.254.169.254", .args = { 80 }),
        ROW("route-private", "the neighbours' network", reach_address, .path = "10.0.0.1",
            .args = { 22 }),
        ROW("route-six", "a way to the internet by IPv6", reach_six, .path = "2001:db8::1",
            .args = { 443 }),
        ROW("host-port", "a service on the host's loopback", reach_host_port),
        ROW("host-abstract", "an abstract socket of the host", reach_host_abstract),
        ROW("other-interfaces", "an interface beside lo", find_interface, .path = "/proc/net/dev"),
        ROW("shared-memory", "shared memory of others", find_shared_memory),
        ROW("abi-x32", "a call by the x32 ABI", call_x32),
        ROW("abi-i386", "a call by int 0x80", call_i386),
        { 0 },
};
