/*
 * doctor-attack: the jail's work directory is an archive with nothing but warder-probe, so that it is there
 * under any root. The probe looks for things of the host that we make for it: this very process, a port
 * on the loopback, an abstract socket; they end with us.
 */
#include "cli/doctor-attack.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/ids.h"
#include "cli/doctor-open.h"
#include "cli/doctor-report.h"
#include "cli/link.h"
#include "cli/outcome.h"
#include "cli/own-policy.h"
#include "cli/pack.h"
#include "cli/places.h"
#include "cli/probe/exhaust.h"
#include "cli/programs.h"
#include "cli/workdir.h"

#define PROBE_NAME "warder-probe"
#define REFUSED    "refused by the kernel"

typedef struct Attack {
        Link link;
        char jail[ID_MAX];
        AttackReport report;
        int port_fd;
        int abstract_fd;
        char words[3][REPORT_WORD_MAX]; /* what the probe is told about the host */
} Attack;

/* ---- the program as an archive ------------------------------------------------------------------- */

static int pack_probe(int *ret_fd, Error *err) {
        static const char *const folders[] = { "", "/cli/probe", NULL };
        autoclose int dir = program_dir(PROBE_NAME, folders, err), fd = -EBADF;
        SCOPED(pack_free) Pack *pack = NULL;
        PackTotals totals;
        int r;

        if (dir < 0)
                return dir;
        fd = spool_new(err);
        r = fd < 0 ? fd : pack_new(fd, &pack, err);
        if (r == 0)
                r = pack_path(pack, dir, PROBE_NAME, PROBE_NAME, err);
        if (r == 0)
                r = pack_end(pack, &totals, err);
        if (r == 0 && lseek(fd, 0, SEEK_SET) < 0)
                r = error_set(err, -errno, "rewind the archive");
        if (r == 0)
                *ret_fd = TAKE_FD(fd);
        return r;
}

/* ---- what the probe shall look for --------------------------------------------------------------- */

static void open_port(Attack *attack) {
        struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
        socklen_t n = sizeof(at);

        attack->port_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (attack->port_fd >= 0 &&
            bind(attack->port_fd, (const struct sockaddr *) &at, sizeof(at)) == 0 &&
            listen(attack->port_fd, 1) == 0 &&
            getsockname(attack->port_fd, (struct sockaddr *) &at, &n) == 0)
                (void) snprintf(attack->words[1], REPORT_WORD_MAX, "port=%u", ntohs(at.sin_port));
}

static void open_abstract(Attack *attack) {
        struct sockaddr_un at = { .sun_family = AF_UNIX };
        int n = snprintf(at.sun_path + 1, sizeof(at.sun_path) - 1, "warder-doctor-%d",
                         (int) getpid());

        attack->abstract_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (attack->abstract_fd >= 0 &&
            bind(attack->abstract_fd, (const struct sockaddr *) &at,
                 (socklen_t) (offsetof(struct sockaddr_un, sun_path) + 1 + (size_t) n)) == 0 &&
            listen(attack->abstract_fd, 1) == 0)
                (void) snprintf(attack->words[2], REPORT_WORD_MAX, "abstract=%.48s",
                                at.sun_path + 1);
}

static void open_targets(Attack *attack) {
        (void) snprintf(attack->words[0], REPORT_WORD_MAX, "pid=%d", (int) getpid());
        open_port(attack);
        open_abstract(attack);
}

/* ---- the jail ------------------------------------------------------------------------------------ */

static void add_name(cJSON *params, const char *member, const char *named, const char *variable) {
        const char *value = named ? named : getenv(variable);

        if (value && *value)
                json_add_text(params, member, value);
}

/* So narrow that what takes too much has it soon, and the host does not feel it; a policy may be narrower */
static void add_limits(cJSON *params, const cJSON *policy) {
        static const struct {
                const char *name;
                uint64_t most;
        } narrow[] = {
                { "memory", UINT64_C(96) << 20 },    { "pids", 48 },
                { "disk", UINT64_C(16) << 20 },      { "inodes", 1000 },
                { "output_max", UINT64_C(1) << 20 },
        };
        cJSON *limits = json_add_object(params, "limits");
        uint64_t has;

        for (size_t i = 0; i < ELEMENTS(narrow); i++)
                if (json_number(json_get(policy, "limits"), narrow[i].name, &has) < 0 ||
                    has > narrow[i].most)
                        json_add_number(limits, narrow[i].name, narrow[i].most);
}

/* As it holds for us; an answer that does not come leaves the limits of the attack */
static int narrow_limits(Attack *attack, cJSON *params, Error *err) {
        Ask ask = { .method = "policy.show", .params = cJSON_CreateObject() };
        const cJSON *policy = json_get(params, "policy");
        Answer answer = ANSWER_EMPTY;
        int r;

        if (policy)
                json_add_consume(ask.params, "name", cJSON_Duplicate(policy, true));
        else
                json_add_text(ask.params, "name", "default");
        r = link_ask(&attack->link, &ask, &answer, err);
        if (r == 0)
                add_limits(params, answer.result);
        answer_deinit(&answer);
        return r == 0 ? 0 : r < 0 ? r : -EREMOTEIO;
}

static int make_jail(Attack *attack, const AttackOptions *options, bool narrow, Error *err) {
        Ask ask = { .method = "jail.create", .params = cJSON_CreateObject() };
        Answer answer = ANSWER_EMPTY;
        autoclose int work = -EBADF;
        const char *jail;
        int r = pack_probe(&work, err);

        if (r == 0)
                r = own_policy_choose(options->policy, ask.params, err);
        add_name(ask.params, "snapshot", options->snapshot, "WARDER_SNAPSHOT");
        json_add_bool(ask.params, "work", true);
        if (r == 0 && narrow)
                r = narrow_limits(attack, ask.params, err);
        if (r < 0) {
                (void) json_free(ask.params);
                return r;
        }
        ask.fds[ask.n_fds++] = work;
        r = link_ask(&attack->link, &ask, &answer, err);
        jail = r == 0 ? json_text(answer.result, "jail") : NULL;
        if (r == 0 && (!jail || !id_is_valid('j', jail)))
                r = error_say(err, -EPROTO, "The supervisor named no jail.");
        else if (r == 0)
                (void) snprintf(attack->jail, sizeof(attack->jail), "%s", jail);
        answer_deinit(&answer);
        return r == 0 ? 0 : r < 0 ? r : -EREMOTEIO;
}

static cJSON *exec_params(const Attack *attack, unsigned uid, const char *word) {
        cJSON *params = cJSON_CreateObject(), *argv, *user, *stdio;

        json_add_text(params, "jail", attack->jail);
        argv = json_add_array(params, "argv");
        json_push_text(argv, "/work/" PROBE_NAME);
        json_push_text(argv, word);
        for (unsigned i = 0; i < 3 && strcmp(word, "run") == 0; i++)
                if (attack->words[i][0])
                        json_push_text(argv, attack->words[i]);
        user = json_add_object(params, "user");
        json_add_number(user, "uid", uid);
        json_add_number(user, "gid", uid);
        stdio = json_add_array(params, "stdio");
        json_push_text(stdio, "null");
        json_push_text(stdio, "capture");
        json_push_text(stdio, "capture");
        return params;
}

/* A jail in which nothing can be run holds everything, and proves nothing */
static int not_started(const cJSON *record, Error *err) {
        const OutcomeFacts facts = { .name = PROBE_NAME };
        Buf text = BUF_EMPTY(ERROR_TEXT_MAX);

        outcome_sentence(record, &facts, &text);
        (void) error_say(err, -ENOEXEC, "nothing was tried: %s",
                         text.data ? text.data : "the program could not be started");
        buf_deinit(&text);
        return -ENOEXEC;
}

static int run_probe(Attack *attack, unsigned uid, const char *word, Error *err) {
        Ask ask = { .method = "jail.exec", .params = exec_params(attack, uid, word) };
        Answer answer = ANSWER_EMPTY;
        const char *text, *cause, *as = uid == 0 ? "id 0" : "user";
        char silent[] = "the program said nothing";
        int r = link_ask(&attack->link, &ask, &answer, err);

        cause = r == 0 ? json_text(answer.result, "cause") : NULL;
        if (cause && strcmp(cause, "not_started") == 0)
                r = not_started(answer.result, err);
        if (r == 0 && strcmp(word, "run") == 0) {
                text = json_text(cJSON_GetObjectItem(json_get(answer.result, "output"), "stdout"),
                                 "text");
                if (!cause || strcmp(cause, "exited") != 0 || !text)
                        report_unclear(&attack->report, as, silent);
                else
                        report_read(&attack->report, as, text);
        }
        answer_deinit(&answer);
        return r == 0 ? 0 : r < 0 ? r : -EREMOTEIO;
}

/* ---- taking all of something: the end's cause must name the limit, and the jail go on ------------- */

typedef struct Exhaustion {
        const char *way; /* of warder-probe */
        const char *tried;
        const char *cause; /* that holds it; NULL: the program must succeed */
        bool or_refused; /* the kernel's refusal is enough: the cause needs a disk that fills up */
} Exhaustion;

static const Exhaustion exhaustions[] = {
        { "linger", "leave a process in a session of its own", "wall_timeout", false },
        { "look", "find that process still there", NULL, false },
        { "processes", "a fork bomb", "pids_limit", false },
        { "memory", "all memory", "oom", false },
        { "output", "a flood of output", "output_limit", false },
        { "processor", "all processor time", "cpu_timeout", false },
        { "descriptors", "all descriptors", REFUSED, false },
        { "time", "never to end", "wall_timeout", false },
        { "inodes", "all files of the disk", "disk_limit", true },
        { "bytes", "all bytes of the disk", "disk_limit",
          true }, /* what these made stays: they are last */
};

/* Returns: the cause, "" for a program that ended well, or what went wrong, in @ret_cause */
static int ask_way(Attack *attack, const char *way, char *ret_cause, Error *err) {
        Ask ask = { .method = "jail.exec", .params = exec_params(attack, 1000, "exhaust") };
        Answer answer = ANSWER_EMPTY;
        cJSON *limits = json_add_object(ask.params, "limits");
        const char *cause;
        uint64_t code = 1;
        int r;

        json_push_text(json_get(ask.params, "argv"), way);
        json_add_number(limits, "wall",
                        strcmp(way, "time") == 0 || strcmp(way, "linger") == 0 ? 500000 : 20000000);
        json_add_number(limits, "cpu_time", strcmp(way, "processor") == 0 ? 300000 : 10000000);
        r = link_ask(&attack->link, &ask, &answer, err);
        cause = r == 0 ? json_text(answer.result, "cause") : NULL;
        if (cause && strcmp(cause, "exited") == 0 &&
            json_number(answer.result, "code", &code) == 0 && code == 0)
                cause = "";
        else if (cause && strcmp(cause, "exited") == 0 && code == EXHAUST_REFUSED)
                cause = REFUSED;
        (void) snprintf(ret_cause, REPORT_WORD_MAX, "%.60s", cause ? cause : "refused");
        answer_deinit(&answer);
        return r == 0 ? 0 : r < 0 ? r : -EREMOTEIO;
}

static bool is_held(const Exhaustion *row, const char *cause, const char *after) {
        return after[0] == 0 && (strcmp(cause, row->cause ? row->cause : "") == 0 ||
                                 (row->or_refused && strcmp(cause, REFUSED) == 0));
}

static int exhaust(Attack *attack, const Exhaustion *row, Error *err) {
        char cause[REPORT_WORD_MAX], after[REPORT_WORD_MAX], name[REPORT_WORD_MAX],
                tried[REPORT_WORD_MAX], wall[] = "limit";
        char outcome[REPORT_WORD_MAX], evidence[3 * REPORT_WORD_MAX];
        char *const words[REPORT_COLUMNS] = { name, tried, outcome, wall, evidence };
        int r = ask_way(attack, row->way, cause, err);

        if (r == 0)
                r = ask_way(attack, "nothing", after, err);
        if (r < 0)
                return r;
        (void) snprintf(name, sizeof(name), "take-%s", row->way);
        (void) snprintf(tried, sizeof(tried), "%s", row->tried);
        (void) snprintf(outcome, sizeof(outcome), "%s",
                        is_held(row, cause, after) ? "held" : "through");
        (void) snprintf(evidence, sizeof(evidence), "cause: %s; afterwards the jail %s",
                        cause[0] ? cause : "exited", after[0] ? "failed" : "goes on");
        report_add(&attack->report, "user", words);
        return 0;
}

static int exhaust_all(Attack *attack, const AttackOptions *options, Error *err) {
        int r = make_jail(attack, options, true, err);

        for (unsigned i = 0; r == 0 && i < ELEMENTS(exhaustions); i++)
                r = exhaust(attack, &exhaustions[i], err);
        return r;
}

int doctor_attack(const AttackOptions *options, const char *socket, cJSON *rows,
                  AttackTotals *ret_totals, Error *err) {
        Attack attack = {
                .link = LINK_EMPTY, .report.rows = rows, .port_fd = -EBADF, .abstract_fd = -EBADF
        };
        int r = link_open(&attack.link, socket, err);

        if (r < 0)
                return r;
        open_targets(&attack);
        r = make_jail(&attack, options, false, err);
        if (r == 0)
                r = run_probe(&attack, 0, "plant", err);
        if (r == 0)
                r = run_probe(&attack, 0, "run", err);
        if (r == 0)
                r = run_probe(&attack, 1000, "run", err);
        if (r == 0)
                r = doctor_open(&attack.link, attack.jail, &attack.report, err);
        if (r == 0)
                r = exhaust_all(&attack, options, err);
        link_deinit(&attack.link);
        owned_close(&attack.port_fd);
        owned_close(&attack.abstract_fd);
        if (r == 0)
                *ret_totals = attack.report.totals;
        return r;
}
