/*-------------------------------------------------------------------------
 *
 * local_time.c
 *	  when it is such and such a time where a contact lives
 *
 * Clocks change: a local time may not exist on a day, or come twice.  As the
 * server reads local times, the first is as much later as the clock was put
 * forward (02:30 is 03:30 then), the second is the later of the two.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"
#include "pgtime.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/timestamp.h"

/*
 * The zone that an argument names, or the next one does: names that the server
 * knew when they were written may have left its data.
 */
static pg_tz *
find_zone(FunctionCallInfo fcinfo, int arg)
{
	pg_tz	   *zone = NULL;
	int			i;

	for (i = arg; zone == NULL && i < arg + 2; i++)
	{
		if (!PG_ARGISNULL(i))
			zone = pg_tzset(text_to_cstring(PG_GETARG_TEXT_PP(i)));
	}
	return zone != NULL ? zone : pg_tzset("UTC");
}

/* Take a point in time apart, as the clock in the zone shows it. */
static void
read_clock(TimestampTz at, pg_tz * zone, struct pg_tm *tm, TimeADT * time)
{
	fsec_t		fsec;
	int			offset;

	if (TIMESTAMP_NOT_FINITE(at) ||
		timestamp2tm(at, &offset, tm, &fsec, NULL, zone) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("timestamp out of range")));
	*time = ((tm->tm_hour * MINS_PER_HOUR + tm->tm_min) * SECS_PER_MINUTE +
			 tm->tm_sec) * USECS_PER_SEC + fsec;
}

/* When the clock in the zone shows the time, some days after that date. */
static TimestampTz
set_clock(const struct pg_tm *date, int days, TimeADT time, pg_tz * zone)
{
	struct pg_tm tm = *date;
	TimestampTz at;
	fsec_t		fsec;
	int			offset;

	j2date(date2j(tm.tm_year, tm.tm_mon, tm.tm_mday) + days,
		   &tm.tm_year, &tm.tm_mon, &tm.tm_mday);
	time2tm(time, &tm, &fsec);
	tm.tm_isdst = -1;
	offset = DetermineTimeZoneOffset(&tm, zone);
	if (tm2timestamp(&tm, fsec, &offset, &at) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("timestamp out of range")));
	return at;
}

/* The first time at or after that moment that the clock shows the time. */
static TimestampTz
next_time(TimestampTz after, TimeADT time, pg_tz * zone)
{
	struct pg_tm tm;
	TimeADT		now;
	TimestampTz at;

	read_clock(after, zone, &tm, &now);
	at = set_clock(&tm, 0, time, zone);
	return at >= after ? at : set_clock(&tm, 1, time, zone);
}

PG_FUNCTION_INFO_V1(at_local_time);

/* contacts.at_local_time(after, local_time, time_zone, default_time_zone) */
Datum
at_local_time(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	if (PG_ARGISNULL(1))
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	PG_RETURN_TIMESTAMPTZ(next_time(PG_GETARG_TIMESTAMPTZ(0),
									PG_GETARG_TIMEADT(1),
									find_zone(fcinfo, 2)));
}

PG_FUNCTION_INFO_V1(after_quiet_hours);

/*
 * contacts.after_quiet_hours(at, quiet_from, quiet_until, time_zone,
 * default_time_zone): at, or the end of the quiet hours that it falls in.
 */
Datum
after_quiet_hours(PG_FUNCTION_ARGS)
{
	TimestampTz at;
	TimeADT		from;
	TimeADT		until;
	TimeADT		time;
	pg_tz	   *zone;
	struct pg_tm tm;
	bool		is_quiet;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	at = PG_GETARG_TIMESTAMPTZ(0);
	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		PG_RETURN_TIMESTAMPTZ(at);
	from = PG_GETARG_TIMEADT(1);
	until = PG_GETARG_TIMEADT(2);
	zone = find_zone(fcinfo, 3);
	read_clock(at, zone, &tm, &time);
	is_quiet = from <= until ? time >= from && time < until :
		time >= from || time < until;
	PG_RETURN_TIMESTAMPTZ(is_quiet ? next_time(at, until, zone) : at);
}
