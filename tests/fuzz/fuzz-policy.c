/*
 * policy: a file that a caller sent. As a child of another it never loosens anything; alone it says
 * everything; every value has its line, and every fault a reason.
 *
 */
#include "supervisor/front/policy/policy-file.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fds.h"
#include "supervisor/front/policy/cpu-list.h"
#include "tests/fuzz/fuzz.h"

#define SCHEMA "policies/schema/policy.json"

static const char parent_text[] =
        "{\"warder\":\"policy/"
        "1\",\"limits\":{\"memory\":\"1G\",\"memory_high\":\"900M\",\"pids\":100,"
        "\"cpu\":\"150%\",\"cpuset\":\"0-3\",\"io_read\":\"1M\",\"disk\":\"64M\",\"inodes\":1000,"
        "\"wall\":\"1h\",\"output_keep\":\"1K\",\"output_max\":\"1M\"},\"command\":{\"wall\":"
        "\"1m\","
        "\"nofile\":100,\"fsize\":\"1M\",\"pids\":9},\"network\":{\"mode\":\"none\"},\"binds\":"
        "\"none\","
        "\"proc\":\"pid\",\"host_root\":false,\"seccomp\":\"default\",\"require\":[\"psi\"]}";

static void must(int good) {
        if (!good)
                abort();
}

static cJSON *read_schema(void) {
        const char *source = getenv("top_srcdir");
        char path[1024];
        autofree char *text = NULL;
        autoclose int fd = -EBADF;
        cJSON *json = NULL;
        size_t n = 0;

        (void) snprintf(path, sizeof path, "%s/" SCHEMA, source ? source : ".");
        fd = open(path, O_RDONLY | O_CLOEXEC);
        must(fd >= 0 && fd_read_all(fd, 1 << 20, &text, &n) == 0);
        must(json_parse(text, n, JSON_COMMENTS, &json, NULL) == 0);
        return json;
}

static void must_be_named(const PolicyFault *fault, unsigned lines) {
        Error err = ERROR_EMPTY;

        must(fault->reason[0] && fault->line <= lines && fault->file[0]);
        must(policy_fault_error(fault, &err) == -EINVAL && err.text[0]);
}

/* 0 is none, which is looser than any number */
static void must_be_tighter(const JailLimits *child, const JailLimits *parent) {
        const struct {
                uint64_t child, parent;
        } pairs[] = {
                { child->plan.memory_bytes, parent->plan.memory_bytes },
                { child->plan.memory_high_bytes, parent->plan.memory_high_bytes },
                { child->plan.pids, parent->plan.pids },
                { child->plan.cpu_permille, parent->plan.cpu_permille },
                { child->plan.io_read_bytes, parent->plan.io_read_bytes },
                { child->plan.io_write_bytes, parent->plan.io_write_bytes },
                { child->plan.disk_bytes, parent->plan.disk_bytes },
                { child->plan.inodes, parent->plan.inodes },
                { child->command.memory_bytes, parent->command.memory_bytes },
                { child->command.pids, parent->command.pids },
                { child->wall_usec, parent->wall_usec },
                { child->command_wall_usec, parent->command_wall_usec },
                { child->command_cpu_usec, parent->command_cpu_usec },
                { child->output_keep, parent->output_keep },
                { child->output_max, parent->output_max },
                { child->nofile, parent->nofile },
                { child->fsize, parent->fsize },
        };

        for (size_t i = 0; i < ELEMENTS(pairs); i++)
                must(pairs[i].parent == 0 ||
                     (pairs[i].child != 0 && pairs[i].child <= pairs[i].parent));
        must(cpu_list_is_empty(parent->plan.cpus) ||
             (!cpu_list_is_empty(child->plan.cpus) &&
              cpu_list_is_within(child->plan.cpus, parent->plan.cpus)));
        must(child->proc_pid || !parent->proc_pid);
}

static void must_be_shown(const PolicyRules *rules, unsigned lines) {
        SCOPED(json_free) cJSON *json = policy_rules_json(rules);
        autofree char *text = json ? json_print(json) : NULL;
        char origin[POLICY_ORIGIN_MAX], value[LIMIT_VALUE_MAX];

        must(text != NULL);
        for (unsigned i = 0; i < _POLICY_FIELD_MAX; i++) {
                must(rules->from[i].source < rules->n_sources && rules->from[i].line <= lines);
                must(strlen(policy_origin(rules, i, origin)) < sizeof origin);
        }
        for (unsigned i = 0; i < _LIMIT_FIELD_MAX; i++)
                must(strlen(limits_format(&rules->limits, i, value)) < sizeof value);
}

static void try_over(const PolicyText *text, const cJSON *json, const PolicyRules *parent,
                     unsigned lines) {
        static const FrontInfo host = { .memory_total = 1ull << 30, .cpus = 2 };
        PolicyRules rules = parent ? *parent : (PolicyRules){ 0 };
        PolicyFault fault = { 0 };

        if (policy_file_apply(&rules, text, json, parent != NULL, &fault) < 0) {
                must_be_named(&fault, lines);
                return;
        }
        must_be_shown(&rules, lines);
        if (!parent)
                return;
        must_be_tighter(&rules.limits, &parent->limits);
        must((!rules.host_root || parent->host_root) && (!rules.binds || parent->binds));
        must((rules.require & parent->require) == parent->require);
        must(strcmp(rules.seccomp, parent->seccomp) == 0);
        (void) policy_settle(&rules, &host);
        must(rules.limits.plan.disk_bytes <= rules.limits.plan.memory_bytes / 2);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
        static cJSON *schema;
        static PolicyRules parent;
        SCOPED(json_free) cJSON *json = NULL;
        PolicyText text = { .file = "input.json", .text = (const char *) data, .n = n };
        PolicyFault fault = { 0 };
        unsigned lines = 1;

        if (!schema) {
                SCOPED(json_free) cJSON *whole = NULL;
                const PolicyText of_parent = { .file = "parent.json",
                                               .text = parent_text,
                                               .n = strlen(parent_text),
                                               .schema = schema = read_schema() };

                must(policy_file_parse(&of_parent, &whole, &fault) == 0);
                must(policy_file_apply(&parent, &of_parent, whole, false, &fault) == 0);
        }
        text.schema = schema;
        for (size_t i = 0; i < n; i++)
                lines += data[i] == '\n';
        if (policy_file_parse(&text, &json, &fault) < 0) {
                must(fault.reason[0] && fault.line <= lines);
                return 0;
        }
        try_over(&text, json, &parent, lines);
        try_over(&text, json, NULL, lines);
        return 0;
}
