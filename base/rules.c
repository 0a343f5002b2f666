/* rules: see rules.h. */
#include "base/rules.h"

#include <assert.h>

#include "base/owned.h"

static const char *const names[] = {
        [RULE_NONE] = "none",
        [RULE_NAME_EMPTY] = "name-empty",
        [RULE_NAME_ABSOLUTE] = "name-absolute",
        [RULE_NAME_DOTDOT] = "name-dotdot",
        [RULE_NAME_BYTES] = "name-bytes",
        [RULE_NAME_LONG] = "name-long",
        [RULE_NAME_DEPTH] = "name-depth",
        [RULE_NAME_GIT] = "name-git",
        [RULE_THROUGH_LINK] = "through-link",
        [RULE_LINK_OUT] = "link-out",
        [RULE_LINK_MISSING] = "link-missing",
        [RULE_SPECIAL_FILE] = "special-file",
        [RULE_SET_ID] = "set-id",
        [RULE_XATTR] = "xattr",
        [RULE_ID_RANGE] = "id-range",
        [RULE_WHITEOUT_NAME] = "whiteout-name",
        [RULE_TYPE_CHANGE] = "type-change",
        [RULE_TOO_MANY_BYTES] = "too-many-bytes",
        [RULE_TOO_MANY_ENTRIES] = "too-many-entries",
        [RULE_EXPANSION] = "expansion",
        [RULE_TRUNCATED] = "truncated",
        [RULE_FORMAT] = "format",
        [RULE_DAMAGED] = "damaged",
        [RULE_FILE_SIZE] = "file-size",
        [RULE_PATCH_FORM] = "patch-form",
        [RULE_PATCH_MODE] = "patch-mode",
        [RULE_PATCH_TWICE] = "patch-twice",
        [RULE_PATCH_MISFIT] = "patch-misfit",
        [RULE_REDIRECT] = "redirect",
        [RULE_PATTERN] = "pattern",
        [RULE_NOT_THERE] = "not-there",
        [RULE_BEHIND_END] = "behind-end",
        [RULE_IMAGE] = "image",
        [RULE_DIGEST] = "digest",
};
static_assert(ELEMENTS(names) == _RECORD_RULE_MAX, "every rule has a name");

const char *record_rule_name(uint32_t rule) {
        return rule < _RECORD_RULE_MAX ? names[rule] : "unknown";
}
