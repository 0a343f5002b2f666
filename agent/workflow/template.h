#pragma once
/*
 * template: text with jq expressions between {{ and }}. A string goes in as it is, null as nothing,
 * everything else as JSON.
 */
#include "agent/workflow/expression.h"

#define TEMPLATE_OUT_MAX (512 * 1024)

typedef struct Template Template;

/**
 * template_parse() - split @text and add its expressions to @set
 * @path: where it stands in the workflow, for messages
 *
 * Returns: 0, -EINVAL (an opening without its end), or as expressions_add().
 */
int template_parse(const char *text, ExpressionSet *set, const char *path, Template **ret_template,
                   Error *err);
/** template_free() - release it; its expressions stay in the set. Returns: NULL */
Template *template_free(Template *template);
DEFINE_SCOPED(Template *, template_free);

/** template_fill() - the text over @data. Returns: 0 with fresh text (free()), or negative errno */
int template_fill(const Template *template, ExpressionSet *set, const cJSON *data, char **ret_text,
                  Error *err);
