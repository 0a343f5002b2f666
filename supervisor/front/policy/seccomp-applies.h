#pragma once
/* seccomp-applies: is a rule of a seccomp profile for this architecture, this kernel, and a command's rights. */
#include <stdbool.h>
#include <stdint.h>

#include "base/json.h"

typedef enum SeccompRuleFit {
        SECCOMP_RULE_APPLIES,
        SECCOMP_RULE_OTHER_ARCH,
        SECCOMP_RULE_CAPABILITY, /* for those who have one: no command does */
        SECCOMP_RULE_NOT /* another kernel, or an allowance on a condition that is not known */
} SeccompRuleFit;

/** seccomp_condition_fields - of "includes" and "excludes", ended by NULL */
extern const char *const seccomp_condition_fields[];

/** seccomp_word_is_in() - is @text (NULL: no) in @list, which NULL ends */
bool seccomp_word_is_in(const char *text, const char *const *list);
/**
 * seccomp_arch_names() - what an architecture is called: by engines, by uname, by libseccomp
 * @arch: AUDIT_ARCH_X86_64 or AUDIT_ARCH_AARCH64; 0: that of this build
 *
 * Returns: three names and NULL, never released; the second is uname's.
 */
const char *const *seccomp_arch_names(uint32_t arch);
/**
 * seccomp_rule_applies() - look at "includes" and "excludes" of @rule
 * @names:  of the architecture, from seccomp_arch_names()
 * @allows: does the rule let a call through; then a condition that is not known keeps it from applying
 */
SeccompRuleFit seccomp_rule_applies(const cJSON *rule, const char *const *names, bool allows);
