/* seccomp-applies: see seccomp-applies.h. */
#include "supervisor/front/policy/seccomp-applies.h"

#include <linux/audit.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

const char *const seccomp_condition_fields[] = { "arches", "caps", "minKernel", NULL };

bool seccomp_word_is_in(const char *text, const char *const *list) {
        for (; text && *list; list++)
                if (strcmp(text, *list) == 0)
                        return true;
        return false;
}

const char *const *seccomp_arch_names(uint32_t arch) {
        static const char *const x86[] = { "amd64", "x86_64", "SCMP_ARCH_X86_64", NULL };
        static const char *const arm[] = { "arm64", "aarch64", "SCMP_ARCH_AARCH64", NULL };

        if (arch == 0)
#ifdef __aarch64__
                return arm;
#else
                return x86;
#endif
        return arch == AUDIT_ARCH_AARCH64 ? arm : x86;
}

static bool names_arch(const cJSON *arches, const char *const *names) {
        const cJSON *item;

        cJSON_ArrayForEach(item,
                           arches) if (cJSON_IsString(item) &&
                                       seccomp_word_is_in(item->valuestring, names)) return true;
        return false;
}

/* "4.8" against the running kernel. */
static bool kernel_has(const char *text) {
        struct utsname host;
        unsigned want[2] = { 0 }, have[2] = { 0 };

        if (uname(&host) < 0 || sscanf(host.release, "%u.%u", &have[0], &have[1]) != 2 ||
            sscanf(text, "%u.%u", &want[0], &want[1]) < 1)
                return false;
        return have[0] > want[0] || (have[0] == want[0] && have[1] >= want[1]);
}

static bool has_odd_field(const cJSON *condition) {
        const cJSON *item;

        cJSON_ArrayForEach(
                item, condition) if (!seccomp_word_is_in(item->string,
                                                         seccomp_condition_fields)) return true;
        return false;
}

SeccompRuleFit seccomp_rule_applies(const cJSON *rule, const char *const *names, bool allows) {
        const cJSON *includes = json_get(rule, "includes");
        const cJSON *excludes = json_get(rule, "excludes");
        const cJSON *arches = json_get(includes, "arches");
        const char *least = json_text(includes, "minKernel");
        const char *below = json_text(excludes, "minKernel");

        if ((cJSON_GetArraySize(arches) > 0 && !names_arch(arches, names)) ||
            names_arch(json_get(excludes, "arches"), names))
                return SECCOMP_RULE_OTHER_ARCH;
        if (cJSON_GetArraySize(json_get(includes, "caps")) > 0)
                return SECCOMP_RULE_CAPABILITY;
        if ((least && !kernel_has(least)) || (below && kernel_has(below)))
                return SECCOMP_RULE_NOT;
        return allows && (has_odd_field(includes) || has_odd_field(excludes))
                       ? SECCOMP_RULE_NOT
                       : SECCOMP_RULE_APPLIES;
}
