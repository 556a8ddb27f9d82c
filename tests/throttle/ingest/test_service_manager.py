"""HP Service Manager: several rows of one record are one ticket, and nothing is taken for an order that is none."""

from __future__ import annotations

from typing import Any

from throttle_models import Status, WorkType

CHANGES = """\
CI Name (aff);CI Type (aff);Service Component WBS (aff);Change ID;Change Type;Risk Assessment;Emergency Change;CAB-approval needed;Planned Start;Planned End;Scheduled Downtime Start;Scheduled Downtime End;Actual Start;Actual End;Requested End Date;Change record Open Time;Change record Close Time;Originated from;# Related Interactions;# Related Incidents
SBA000243;subapplication;WBS000296;C00000056;Release Type 02;Minor Change;N;N;14-11-2013 19:00;14-11-2013 23:00;;;14-11-2013 19:10;14-11-2013 22:50;;16-09-2012 13:59;18-11-2013 09:00;Problem;1;
SBA000607;subapplication;WBS000296;C00000056;Release Type 02;Minor Change;N;N;14-11-2013 19:00;14-11-2013 23:00;;;14-11-2013 19:10;14-11-2013 22:50;;16-09-2012 13:59;18-11-2013 09:00;Problem;1;
SAN000100;storage;WBS000096;C00000077;Standard Change Type 10;Minor Change;Y;N;20-04-2014 01:00;20-04-2014 03:00;;;;;;01-04-2014 08:00;;Problem;;
"""  # noqa: E501
INCIDENTS = """\
CI Name (aff);Incident ID;Status;Impact;Urgency;Priority;Category;KM number;Alert Status;# Reassignments;Open Time;Reopen Time;Resolved Time;Close Time;Handle Time (Hours);Closure Code;Related Change;CI Name (CBy)
SUB000508;IM0000004;Closed;4;4;4;incident;KM0000553;closed;26;25/02/2012 13:32:57;;04/11/2013 13:50:27;04/11/2013 13:51:18;3.871,69;Other;C00000056;SUB000508
WBA000124;IM0000005;Work in progress;3;3;3;request for information;KM0000611;open;33;12/03/2012 15:44:40;;;;4.354,79;;;WBA000124
"""  # noqa: E501
STEPS = """\
Incident ID;DateStamp;IncidentActivity_Number;IncidentActivity_Type;Assignment Group;KM number;Interaction ID
IM0000004;07-01-2013 08:17:17;001A3689763;Open;TEAM0001;KM0000553;SD0000007
IM0000004;04-11-2013 13:41:30;001A5849979;Reassignment;TEAM0002;KM0000553;SD0000007
IM0000004;04-11-2013 13:51:18;001A5849980;Closed;TEAM0003;KM0000553;SD0000007
IM0000004;14-11-2013 09:31:00;001A5849999;Quality Indicator;TEAM0003;KM0000553;SD0000007
IM0000005;15-11-2013 09:31:00;001A5850000;Assignment;TEAM0002;KM0000611;SD0000011
"""


def test_a_change_has_all_the_items_of_its_rows(desk: Any) -> None:
    ingested = desk.read(CHANGES)
    report = ingested.report
    assert (report.rows_read, report.imported, report.merged) == (3, 2, 1)
    one, two = ingested.portfolio.work.values()
    assert one.change.services == ("sba000243", "sba000607")
    assert (one.status, str(one.finished)) == (Status.DONE, "2013-11-14T22:50Z")
    assert (two.status, two.change.kind.value) == (Status.OPEN, "emergency")
    assert (str(two.wanted_start), two.not_before) == ("2014-04-20T01:00Z", None)
    assert report.planned_windows == 2


def test_incidents_with_decimal_commas_and_no_order_from_their_change(desk: Any) -> None:
    ingested = desk.read(INCIDENTS)
    closed, going = ingested.portfolio.work.values()
    assert (closed.status, str(closed.finished)) == (Status.DONE, "2013-11-04T13:50:27Z")
    assert (going.status, going.type) == (Status.IN_PROGRESS, WorkType.UNPLANNED)
    assert ingested.report.edges == ()
    assert ingested.report.files[0].dates["Open Time"] == "dd/MM/yyyy HH:mm"


def test_an_activity_log_is_folded_and_closed_stays_closed(desk: Any) -> None:
    ingested = desk.read(STEPS)
    assert (ingested.report.rows_read, ingested.report.imported, ingested.report.merged) == (5, 2, 3)
    closed, going = ingested.portfolio.work.values()
    assert (closed.status, going.status) == (Status.DONE, Status.IN_PROGRESS)
    assert str(closed.finished) == "2013-11-04T13:51:18Z"
