//! What every database behind `store` does. One suite, one test per database.

use std::collections::BTreeSet;
use std::time::Duration;

use model::{KeyId, MeetingId, ParticipantId, ProjectId};
use store::{Change, MeetingStatus, PAGE_LEN, ParticipantStatus, Store, Timestamp};

#[tokio::test]
async fn sqlite_in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let number = std::sync::atomic::AtomicU32::new(0);
    suite(async || {
        let n = number.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Store::open(&folder.path().join(format!("{n}.sqlite"))).await.unwrap()
    })
    .await;
}

#[tokio::test]
async fn sqlite_in_memory() {
    suite(async || Store::in_memory().await.unwrap()).await;
}

#[tokio::test]
async fn what_was_written_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("althing.sqlite");
    let store = Store::open(&path).await.unwrap();
    let meeting = a_meeting(&store).await;
    store.close().await;
    let store = Store::open(&path).await.unwrap();
    assert_eq!(store.meetings().get(meeting).await.unwrap().unwrap().id, meeting);
}

#[tokio::test]
async fn a_place_that_cannot_be_written_is_named() {
    let error = Store::open(std::path::Path::new("/proc/none/althing.sqlite")).await.unwrap_err();
    assert!(error.to_string().contains("/proc/none/althing.sqlite"), "{error}");
}

async fn suite(make: impl AsyncFn() -> Store) {
    projects_and_keys(&make().await).await;
    meetings_live_and_end(&make().await).await;
    meetings_expire(&make().await).await;
    lists_come_in_pages(&make().await).await;
    participants_and_their_secrets(&make().await).await;
    nobody_is_made_for_a_meeting_that_is_over(&make().await).await;
    snapshots(&make().await).await;
    one_name_one_meeting(make().await).await;
}

const PROJECT: ProjectId = ProjectId::from_bytes([1; 16]);
const DAY: Duration = Duration::from_secs(24 * 3600);
const T0: Timestamp = Timestamp::from_millis(1_777_777_777_000);

fn second(n: u64) -> Timestamp {
    T0.after(Duration::from_secs(n))
}

fn meeting_id(n: u32) -> MeetingId {
    let mut bytes = [9; 16];
    bytes[..4].copy_from_slice(&n.wrapping_mul(2_654_435_761).to_be_bytes());
    MeetingId::from_bytes(bytes)
}

fn participant_id(n: u8) -> ParticipantId {
    ParticipantId::from_bytes([n; 16])
}

async fn a_meeting(store: &Store) -> MeetingId {
    store.projects().create(PROJECT, "built-in", T0).await.unwrap();
    store.meetings().create(PROJECT, meeting_id(0), T0, T0.after(DAY)).await.unwrap().id
}

async fn projects_and_keys(store: &Store) {
    store.projects().create(PROJECT, "built-in", T0).await.unwrap();
    store.projects().create(PROJECT, "another name", second(1)).await.unwrap();
    let project = store.projects().get(PROJECT).await.unwrap().unwrap();
    assert_eq!((project.name.as_str(), project.created_at), ("built-in", T0));
    assert_eq!(store.projects().get(ProjectId::from_bytes([2; 16])).await.unwrap(), None);

    let keys = store.keys();
    let (first, other) = (KeyId::from_bytes([1; 16]), KeyId::from_bytes([2; 16]));
    keys.put(PROJECT, first, "pem 1", T0).await.unwrap();
    keys.put(PROJECT, other, "pem 2", second(1)).await.unwrap();
    keys.put(PROJECT, first, "pem 3", second(2)).await.unwrap();
    let pems: Vec<_> = keys.of_project(PROJECT).await.unwrap().into_iter().map(|k| k.public_key).collect();
    assert_eq!(pems, ["pem 3", "pem 2"]);
    assert_eq!(keys.get(other).await.unwrap().unwrap().project, PROJECT);
    assert!(keys.remove(other).await.unwrap());
    assert!(!keys.remove(other).await.unwrap());
    assert!(keys.put(ProjectId::from_bytes([2; 16]), other, "of no project", T0).await.is_err());
}

async fn meetings_live_and_end(store: &Store) {
    let id = a_meeting(store).await;
    let meetings = store.meetings();
    let made = meetings.get(id).await.unwrap().unwrap();
    assert_eq!((made.status, made.project, made.created_at), (MeetingStatus::Ready, PROJECT, T0));
    assert!(matches!(meetings.start(id, second(1)).await.unwrap(), Change::Done(m)
        if m.status == MeetingStatus::Running && m.updated_at == second(1)));
    assert!(matches!(meetings.start(id, second(2)).await.unwrap(), Change::Already(m)
        if m.updated_at == second(1)));
    assert!(matches!(meetings.end(id, second(3)).await.unwrap(), Change::Done(m)
        if m.status == MeetingStatus::Ended && m.is_over(second(3))));
    assert!(matches!(meetings.end(id, second(4)).await.unwrap(), Change::Already(_)));
    assert!(matches!(meetings.start(id, second(5)).await.unwrap(), Change::Already(m)
        if m.status == MeetingStatus::Ended));
    assert_eq!(meetings.end(meeting_id(7), T0).await.unwrap(), Change::Unknown);
    assert_eq!(meetings.get(meeting_id(7)).await.unwrap(), None);

    store.participants().create(id, participant_id(1), [0; 32], T0).await.unwrap();
    assert_eq!(meetings.forget_ended(second(3)).await.unwrap(), 0);
    assert_eq!(meetings.forget_ended(second(4)).await.unwrap(), 1);
    assert_eq!(meetings.get(id).await.unwrap(), None);
    assert_eq!(store.participants().get(id, participant_id(1)).await.unwrap(), None);
}

async fn meetings_expire(store: &Store) {
    let id = a_meeting(store).await;
    let meetings = store.meetings();
    assert!(meetings.end_expired(second(1)).await.unwrap().is_empty());
    meetings.keep_until(id, second(1), T0.after(2 * DAY)).await.unwrap();
    assert!(meetings.end_expired(T0.after(DAY)).await.unwrap().is_empty());
    meetings.keep_until(id, second(1), T0.after(DAY)).await.unwrap();
    assert!(!meetings.get(id).await.unwrap().unwrap().is_over(T0.after(DAY)), "is never shortened");
    assert!(meetings.get(id).await.unwrap().unwrap().is_over(T0.after(2 * DAY)));
    meetings.keep_until(id, T0.after(2 * DAY), T0.after(3 * DAY)).await.unwrap();
    assert_eq!(meetings.end_expired(T0.after(2 * DAY)).await.unwrap(), [id]);
    assert_eq!(meetings.get(id).await.unwrap().unwrap().status, MeetingStatus::Ended);
}

async fn lists_come_in_pages(store: &Store) {
    store.projects().create(PROJECT, "built-in", T0).await.unwrap();
    let other = ProjectId::from_bytes([2; 16]);
    store.projects().create(other, "other", T0).await.unwrap();
    let meetings = store.meetings();
    assert!(meetings.list(PROJECT, None).await.unwrap().objects.is_empty());
    let count = 2 * PAGE_LEN as u32;
    for n in 0..count {
        // Several at the same moment: the id keeps them apart.
        meetings.create(PROJECT, meeting_id(n), second(u64::from(n / 7)), second(99_999)).await.unwrap();
    }
    meetings.create(other, meeting_id(count), T0, second(99_999)).await.unwrap();

    let first = meetings.list(PROJECT, None).await.unwrap();
    assert_eq!(first.objects.len(), PAGE_LEN);
    // One more comes meanwhile: it is on a later page, and nothing is doubled or lost.
    meetings.create(PROJECT, meeting_id(count + 1), second(99), second(99_999)).await.unwrap();
    let second_page = meetings.list(PROJECT, first.next).await.unwrap();
    let third = meetings.list(PROJECT, second_page.next).await.unwrap();
    assert_eq!((second_page.objects.len(), third.objects.len(), third.next), (PAGE_LEN, 1, None));
    let all = first.objects.iter().chain(&second_page.objects).chain(&third.objects);
    let ids: BTreeSet<_> = all.clone().map(|m| m.id).collect();
    assert_eq!(ids.len(), 2 * PAGE_LEN + 1);
    assert!(all.clone().is_sorted_by_key(|m| (m.created_at, m.id.to_string())));
    assert!(all.clone().all(|m| m.project == PROJECT));
}

async fn participants_and_their_secrets(store: &Store) {
    let meeting = a_meeting(store).await;
    let participants = store.participants();
    let id = participant_id(1);
    let made = participants.create(meeting, id, [1; 32], T0).await.unwrap().unwrap();
    assert_eq!((made.status, made.generation, made.secret_hash), (ParticipantStatus::Ready, 1, [1; 32]));
    assert_eq!(participants.get(meeting, id).await.unwrap(), Some(made));
    assert_eq!(participants.get(meeting_id(7), id).await.unwrap(), None, "of another meeting");

    assert!(matches!(participants.regenerate(meeting, id, [2; 32], second(1)).await.unwrap(),
        Change::Done(p) if p.generation == 2 && p.secret_hash == [2; 32] && p.updated_at == second(1)));
    assert!(matches!(participants.joined(meeting, id, second(2)).await.unwrap(), Change::Done(p)
        if p.status == ParticipantStatus::Joined && p.generation == 2));
    assert!(matches!(participants.joined(meeting, id, second(3)).await.unwrap(), Change::Already(_)));
    assert!(matches!(participants.left(meeting, id, second(4)).await.unwrap(), Change::Done(p)
        if p.status == ParticipantStatus::Left));
    assert!(matches!(participants.remove(meeting, id, second(5)).await.unwrap(), Change::Done(p)
        if p.status == ParticipantStatus::Removed));
    assert!(matches!(participants.remove(meeting, id, second(6)).await.unwrap(), Change::Already(_)));
    assert!(matches!(participants.joined(meeting, id, second(7)).await.unwrap(), Change::Already(p)
        if p.status == ParticipantStatus::Removed));
    assert!(matches!(participants.regenerate(meeting, id, [3; 32], second(8)).await.unwrap(),
        Change::Already(p) if p.generation == 2));
    assert_eq!(participants.remove(meeting, participant_id(2), T0).await.unwrap(), Change::Unknown);

    participants.create(meeting, participant_id(3), [1; 32], second(1)).await.unwrap();
    let list = participants.list(meeting, None).await.unwrap();
    assert_eq!(list.objects.iter().map(|p| p.id).collect::<Vec<_>>(), [id, participant_id(3)]);
    assert_eq!(list.next, None);
}

async fn nobody_is_made_for_a_meeting_that_is_over(store: &Store) {
    let meeting = a_meeting(store).await;
    let participants = store.participants();
    let later = T0.after(DAY);
    assert_eq!(participants.create(meeting, participant_id(1), [1; 32], later).await.unwrap(), None);
    assert_eq!(participants.create(meeting_id(7), participant_id(1), [1; 32], T0).await.unwrap(), None);
    store.meetings().end(meeting, second(1)).await.unwrap();
    assert_eq!(participants.create(meeting, participant_id(1), [1; 32], second(2)).await.unwrap(), None);
}

async fn snapshots(store: &Store) {
    let meeting = a_meeting(store).await;
    let snapshots = store.snapshots();
    assert_eq!(snapshots.load(meeting).await.unwrap(), None);
    snapshots.save(meeting, r#"{"a":1}"#, T0).await.unwrap();
    snapshots.save(meeting, r#"{"a":2}"#, second(1)).await.unwrap();
    let loaded = snapshots.load(meeting).await.unwrap().unwrap();
    assert_eq!((loaded.json.as_str(), loaded.updated_at), (r#"{"a":2}"#, second(1)));
    assert_eq!(snapshots.all().await.unwrap(), [loaded]);
    snapshots.delete(meeting).await.unwrap();
    snapshots.delete(meeting).await.unwrap();
    assert!(snapshots.all().await.unwrap().is_empty());
    assert!(snapshots.save(meeting_id(7), "{}", T0).await.is_err(), "of no meeting");
}

async fn one_name_one_meeting(store: Store) {
    let rooms = store.meet_rooms();
    assert!(rooms.create("weekly", T0).await.unwrap());
    assert!(!rooms.create("weekly", T0).await.unwrap());

    // Twenty open the same new name at once, each with a meeting of its own in hand: one meeting is chosen.
    let tasks = (0..20u32).map(|n| {
        let store = store.clone();
        tokio::spawn(async move {
            let room = store.meet_rooms().open("new-name", second(1)).await.unwrap();
            store.meet_rooms().replace_meeting("new-name", room.meeting, meeting_id(n)).await.unwrap()
        })
    });
    let mut winners = 0;
    for task in tasks.collect::<Vec<_>>() {
        winners += u32::from(task.await.unwrap());
    }
    let chosen = rooms.open("new-name", second(2)).await.unwrap();
    assert!(winners >= 1 && chosen.meeting.is_some());
    let losers = (0..20u32).map(|n| {
        let store = store.clone();
        tokio::spawn(async move {
            store.meet_rooms().replace_meeting("new-name", None, meeting_id(n)).await.unwrap()
        })
    });
    for task in losers.collect::<Vec<_>>() {
        assert!(!task.await.unwrap(), "a name that has a meeting keeps it");
    }
    assert_eq!(rooms.open("new-name", second(3)).await.unwrap().meeting, chosen.meeting);
    assert!(rooms.replace_meeting("new-name", chosen.meeting, meeting_id(50)).await.unwrap());
    assert_eq!(rooms.open("new-name", second(3)).await.unwrap().meeting, Some(meeting_id(50)));

    assert_eq!(rooms.forget_unused(second(1)).await.unwrap(), 1, "weekly");
    assert_eq!(rooms.open("new-name", second(4)).await.unwrap().created_at, second(1));
}
