-- Kinds of pages. Core are those a student learns with: the course text, the forum, and the materials; the home page
-- and the tables of contents are ways to them.
select distinct
    activity_type as feature,
    initcap(activity_type) as feature_name,
    activity_type in ('oucontent', 'forumng', 'resource', 'url', 'quiz') as is_core,
    activity_type = 'oucontent' as is_critical
from landing.vle
