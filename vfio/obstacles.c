/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* Reasons against a passthrough, and the words in which an inventory tells what it found. */

#include "vfio/obstacles.h"

GArray *hb_obstacles_create(void)
{
	GArray *obstacles = g_array_new(FALSE, FALSE, sizeof(HbObstacle));

	g_array_set_clear_func(obstacles, hb_obstacles_clear);
	return obstacles;
}

void hb_obstacles_add(GArray *obstacles, HbObstacleKind kind, const char *format, ...)
{
	HbObstacle obstacle = { .kind = kind };
	va_list arguments;

	va_start(arguments, format);
	obstacle.text = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	g_array_append_val(obstacles, obstacle);
}

void hb_obstacles_clear(gpointer obstacle)
{
	g_free(((HbObstacle *)obstacle)->text);
}

const char *hb_answer_to_str(HbAnswer answer)
{
	static const char *const names[] = { "unknown", "no", "yes" };

	return (guint)answer < G_N_ELEMENTS(names) ? names[answer] : "invalid";
}

const char *hb_host_indicator_to_str(HbHostIndicator indicator)
{
	static const char *const names[] = { "unknown", "absent", "off", "on", "blink" };

	return (guint)indicator < G_N_ELEMENTS(names) ? names[indicator] : "invalid";
}

const char *hb_obstacle_kind_to_str(HbObstacleKind kind)
{
	static const char *const names[] = { "vm",     "data",	"open",	 "functions",
					     "domain", "iommu", "group", "reset" };

	return (guint)kind < G_N_ELEMENTS(names) ? names[kind] : "invalid";
}

HbError hb_obstacle_kind_to_error(HbObstacleKind kind)
{
	switch (kind) {
	case HB_OBSTACLE_VM:
	case HB_OBSTACLE_DATA:
	case HB_OBSTACLE_OPEN:
	case HB_OBSTACLE_FUNCTIONS:
		return HB_ERROR_BUSY;
	default:
		return HB_ERROR_UNSUPPORTED;
	}
}
