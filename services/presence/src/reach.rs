//! Deliveries to all members of a large group, and what makes them possible: whichever node gets such a
//! call has every node do its share, and each goes by what it holds of the group. Where one does not
//! have that, or the nodes do not agree on who is at home where, the call is refused, and the group's
//! owner tells its members anew, or names them.

use futures_util::future::join_all;
use throng_proto::v1;
use throng_proto::v1::presence_client::PresenceClient;
use throng_proto::v1::{AudienceMember, AudienceReply};
use tonic::Status;

use crate::core::{Among, AudienceId, Refusal};
use crate::home::Here;
use crate::service::Inner;

impl Inner {
    /// The members of a large group, or some of them.
    pub(crate) async fn register_audience(
        &self,
        mut request: v1::RegisterAudienceRequest,
    ) -> AudienceReply {
        if request.part {
            return reply(self.register_here(&request));
        }
        let here = self.home.now();
        let (app, homes) = (app_of(request.audience.as_ref()), here.homes());
        let members = std::mem::take(&mut request.members);
        let Some(shares) = split(&here, app, members, |member| &member.user) else {
            return refused(homes);
        };
        if request.homes != 0 && request.homes != homes {
            return refused(homes);
        }
        let parts = here.nodes().into_iter().zip(shares).map(|(node, members)| {
            let part =
                v1::RegisterAudienceRequest { members, homes, part: true, ..request.clone() };
            async move {
                match node {
                    None => Some(reply(self.register_here(&part))),
                    Some(node) => {
                        let mut client = PresenceClient::new(node.link.clone());
                        let asked = async move { client.register_audience(part).await };
                        self.home.part(&node, message(asked)).await
                    }
                }
            }
        });
        together(homes, join_all(parts).await)
    }

    /// Something for all members of a large group.
    pub(crate) async fn deliver_to_audience(
        &self,
        mut request: v1::DeliverToAudienceRequest,
    ) -> AudienceReply {
        if request.part {
            return reply(self.deliver_here(&request).await);
        }
        let here = self.home.now();
        let (app, homes) = (app_of(request.audience.as_ref()), here.homes());
        let (changed, gone) =
            (std::mem::take(&mut request.changed), std::mem::take(&mut request.gone));
        let changed = split(&here, app, changed, |member: &AudienceMember| &member.user);
        let gone = split(&here, app, gone, |user: &String| user);
        let (Some(changed), Some(gone)) = (changed, gone) else {
            return refused(homes);
        };
        let shares = changed.into_iter().zip(gone);
        let parts = here.nodes().into_iter().zip(shares).map(|(node, (changed, gone))| {
            let part = v1::DeliverToAudienceRequest {
                changed,
                gone,
                homes,
                part: true,
                ..request.clone()
            };
            async move {
                match node {
                    None => Some(reply(self.deliver_here(&part).await)),
                    Some(node) => {
                        let mut client = PresenceClient::new(node.link.clone());
                        let asked = async move { client.deliver_to_audience(part).await };
                        self.home.part(&node, message(asked)).await
                    }
                }
            }
        });
        together(homes, join_all(parts).await)
    }

    /// Whether this node decides about its users, and by this list of nodes.
    fn agree(&self, homes: u64) -> Result<(), Refusal> {
        let here = self.home.now();
        let agrees = here.decides() && here.is_listed() && here.homes() == homes;
        if agrees { Ok(()) } else { Err(Refusal::Homes) }
    }

    fn register_here(&self, request: &v1::RegisterAudienceRequest) -> Result<u32, Refusal> {
        self.agree(request.homes)?;
        self.audiences.register(request.homes, request)?;
        Ok(0)
    }

    async fn deliver_here(&self, request: &v1::DeliverToAudienceRequest) -> Result<u32, Refusal> {
        self.roll.opened().await;
        self.agree(request.homes)?;
        let carry_out = |id| self.reach(id, request);
        let reached = self.audiences.deliver(request.homes, request, carry_out)?;
        // Whoever moved meanwhile may have been missed here.
        self.agree(request.homes)?;
        Ok(reached)
    }

    /// Delivers to those of an audience who are at home here.
    fn reach(&self, id: AudienceId, request: &v1::DeliverToAudienceRequest) -> u32 {
        let except_users = request.except_users.iter().map(String::as_str).collect();
        let among = Among {
            discarding_too: request.discarding_too,
            except_users: &except_users,
            except_inst_id: request.except_inst_id,
        };
        let mut routes = self.shards.route_audience(id, among);
        let reached = routes.reached;
        self.add_unsettled(&mut routes, || self.shards.name_audience(id, among));
        let delivery = v1::DeliverRequest {
            app: app_of(request.audience.as_ref()),
            event_items: request.event_items.clone(),
            guarantee: request.guarantee,
            except_inst_id: request.except_inst_id,
            ..v1::DeliverRequest::default()
        };
        self.carrier.deliver(&delivery, routes);
        reached
    }
}

fn app_of(audience: Option<&v1::Audience>) -> u32 {
    audience.map_or(0, |audience| audience.app)
}

/// By home, for every node of the list. `None` where there is no node.
fn split<T>(
    here: &Here,
    app: u32,
    all: Vec<T>,
    user: impl Fn(&T) -> &String,
) -> Option<Vec<Vec<T>>> {
    let mut shares: Vec<Vec<T>> = here.nodes().iter().map(|_| Vec::new()).collect();
    if shares.is_empty() {
        return None;
    }
    for one in all {
        let place = here.place_of(app, user(&one))?;
        shares[place].push(one);
    }
    Some(shares)
}

async fn message<T>(
    call: impl Future<Output = Result<tonic::Response<T>, Status>>,
) -> Result<T, Status> {
    Ok(call.await?.into_inner())
}

fn refused(homes: u64) -> AudienceReply {
    AudienceReply { refused: true, homes, reached: 0 }
}

fn reply(outcome: Result<u32, Refusal>) -> AudienceReply {
    let why = match outcome {
        Ok(reached) => return AudienceReply { refused: false, homes: 0, reached },
        Err(Refusal::Unknown) => "unknown",
        Err(Refusal::Version) => "version",
        Err(Refusal::Homes) => "homes",
        Err(Refusal::Term) => "term",
        Err(Refusal::Full) => "full",
    };
    metrics::counter!("throng_presence_audience_refusals_total", "reason" => why).increment(1);
    refused(0)
}

/// One answer for all nodes: what one refuses, all do.
fn together(homes: u64, replies: Vec<Option<AudienceReply>>) -> AudienceReply {
    let refused = replies.iter().any(|reply| reply.as_ref().is_none_or(|reply| reply.refused));
    let reached = replies.into_iter().flatten().map(|reply| reply.reached).sum();
    AudienceReply { refused, homes, reached }
}
