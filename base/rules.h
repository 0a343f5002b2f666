#pragma once
/*
 * rules: the names of what warder-files cleans or refuses, one for each rule of what may land from an
 * archive, a tree or a patch. They travel as numbers in RECORD_NOTE and RECORD_REFUSED and are shown by
 * name, so a number never changes its meaning within one build.
 */
#include <stdint.h>

typedef enum RecordRule {
        RULE_NONE = 0,
        RULE_NAME_EMPTY,    /* no name, or one that means the root where a file must be */
        RULE_NAME_ABSOLUTE, /* begins with a slash */
        RULE_NAME_DOTDOT,   /* has the component ".." */
        RULE_NAME_BYTES,    /* control bytes other than a tab, or no name that can be read */
        RULE_NAME_LONG,     /* a component above 255 bytes, a path above 4095 */
        RULE_NAME_DEPTH,    /* more directories deep than FILES_DEPTH_MAX */
        RULE_NAME_GIT,      /* a component ".git" */
        RULE_THROUGH_LINK,  /* a parent is a symbolic link, or is no directory */
        RULE_LINK_OUT,      /* a hard link that leads out of the tree */
        RULE_LINK_MISSING,  /* a hard link to what is not there, or is no file */
        RULE_SPECIAL_FILE,  /* device, fifo, socket */
        RULE_SET_ID,        /* set-user-id or set-group-id bit */
        RULE_XATTR,         /* an extended attribute that never lands */
        RULE_ID_RANGE,      /* an owner that has no place in a jail */
        RULE_WHITEOUT_NAME, /* ".wh.*" */
        RULE_TYPE_CHANGE,   /* one name twice, with types that cannot replace each other */
        RULE_TOO_MANY_BYTES,
        RULE_TOO_MANY_ENTRIES,
        RULE_EXPANSION,    /* output out of all proportion to input */
        RULE_TRUNCATED,    /* ends before its end */
        RULE_FORMAT,       /* not a format that is read */
        RULE_DAMAGED,      /* a format that is read, but wrong inside */
        RULE_FILE_SIZE,    /* too large for a patch */
        RULE_PATCH_FORM,   /* not the form that git writes */
        RULE_PATCH_MODE,   /* a mode that no file of a patch may have */
        RULE_PATCH_TWICE,  /* one path changed twice */
        RULE_PATCH_MISFIT, /* does not fit the base */
        RULE_REDIRECT,     /* an overlay directory that points elsewhere */
        RULE_PATTERN,      /* a pattern that cannot be read */
        RULE_NOT_THERE,    /* a path that does not exist */
        RULE_BEHIND_END,   /* an archive goes on behind its end mark */
        RULE_IMAGE,        /* a container image where a tree must be */
        RULE_DIGEST,       /* bytes that do not have the size or the digest they are said to have */
        _RECORD_RULE_MAX,
} RecordRule;

/** record_rule_name() - the name of a rule, "set-id"; "unknown" for what is none: numbers come from outside */
const char *record_rule_name(uint32_t rule);
