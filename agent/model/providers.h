#pragma once
/*
 * providers: the table of model providers.
 */
#include "agent/loop.h"
#include "agent/model/provider.h"

/**
 * providers_new() - the provider that task.info names
 * @model:         {provider, base_url?, model?}
 * @transcript_fd: borrowed; negative where there is none
 * @loop:          borrowed, outlives the provider
 *
 * Returns: 0, -EINVAL with what is missing or unknown, other negative errno.
 */
int providers_new(const cJSON *model, int transcript_fd, Loop *loop, Provider **ret_provider,
                  Error *err);
